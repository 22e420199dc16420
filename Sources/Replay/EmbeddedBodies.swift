/// The recorded bodies that are part of the program; `Bodies/MANIFEST.json` names their sources.
package enum EmbeddedBodies {
    /// All of them, in the order of their names.
    package static let all: [RecordedBody] = [
        RecordedBody(
            name: "anthropic/derived-overloaded-error-mid-text",
            bytes: PackageResources.anthropic_derived_overloaded_error_mid_text_sse
        ),
        RecordedBody(
            name: "anthropic/text-emoji",
            bytes: PackageResources.anthropic_text_emoji_sse
        ),
        RecordedBody(
            name: "anthropic/thinking",
            bytes: PackageResources.anthropic_thinking_sse
        ),
        RecordedBody(name: "anthropic/tool-use", bytes: PackageResources.anthropic_tool_use_sse),
        RecordedBody(name: "deepseek/chat-emoji", bytes: PackageResources.deepseek_chat_emoji_sse),
        RecordedBody(name: "ollama/v1-text-utf8", bytes: PackageResources.ollama_v1_text_utf8_sse),
        RecordedBody(
            name: "openai/chat-long-text-no-usage",
            bytes: PackageResources.openai_chat_long_text_no_usage_sse
        ),
        RecordedBody(
            name: "openai/chat-text-usage",
            bytes: PackageResources.openai_chat_text_usage_sse
        ),
        RecordedBody(
            name: "openai/chat-text-utf8-no-usage",
            bytes: PackageResources.openai_chat_text_utf8_no_usage_sse
        ),
        RecordedBody(
            name: "openai/chat-tool-call-no-usage",
            bytes: PackageResources.openai_chat_tool_call_no_usage_sse
        ),
    ]

    /// Where the bodies come from and under which licences, as JSON.
    package static var manifest: [UInt8] { PackageResources.MANIFEST_json }

    package static func named(_ name: String) -> RecordedBody? {
        all.first { $0.name == name }
    }
}
