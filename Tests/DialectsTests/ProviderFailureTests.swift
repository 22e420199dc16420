import Dialects
import StreamBytes
import Testing

@Suite struct ProviderFailureTests {
    private func failure(_ status: Int, _ body: String) -> ProviderFailure {
        ProviderFailure(status: status, body: Array(body.utf8), dialect: .openAI)
    }

    private static let expectations: [String: (ErrorCode, Bool)] = [
        "errors/anthropic-401-authentication.json": (.upstreamRefused, false),
        "errors/azure-429-rate-limit-retry-after.json": (.rateLimited, true),
        "errors/deepseek-400-context-length.json": (.contextLength, false),
        "errors/gemini-400-vertex-input-too-long.json": (.contextLength, false),
        "errors/gemini-404-model-not-found.json": (.modelNotFound, false),
        "errors/gemini-429-quota-retryinfo-in-body.json": (.rateLimited, true),
        "errors/ollama-400-prompt-too-long.json": (.contextLength, false),
        "errors/ollama-401-unauthorized.json": (.upstreamRefused, false),
        "errors/openai-400-context-length-exceeded-responses.json": (.contextLength, false),
        "errors/openai-401-invalid-api-key.json": (.upstreamRefused, false),
        "errors/openai-404-model-not-found.json": (.modelNotFound, false),
        "errors/openrouter-401-missing-auth.json": (.upstreamRefused, false),
        "errors/perplexity-400-too-many-tokens.json": (.contextLength, false),
        "errors/xai-400-incorrect-api-key.json": (.upstreamRefused, false),
    ]

    @Test(arguments: RecordedBodies.errors)
    func `a recorded error answer has its code and its message`(
        _ error: RecordedBodies.ErrorBody
    ) throws {
        let body = try RecordedBodies.bytes(error.file)
        let failure = ProviderFailure(status: error.status, body: body, dialect: .openAI)
        let expected = try #require(Self.expectations[error.file])

        #expect(failure.code == expected.0)
        #expect(failure.isRetryable == expected.1)
        #expect(!failure.message.isEmpty)
    }

    @Test(arguments: [
        (401, ErrorCode.upstreamRefused, false, 502), (403, .upstreamRefused, false, 502),
        (404, .modelNotFound, false, 404), (408, .upstreamStalled, true, 504),
        (400, .badRequest, false, 400), (422, .badRequest, false, 400),
        (429, .rateLimited, true, 429), (500, .upstreamRefused, true, 502),
        (502, .upstreamRefused, true, 502), (503, .overloaded, true, 503),
        (504, .upstreamStalled, true, 504), (529, .overloaded, true, 503),
        (302, .upstreamRefused, false, 502),
    ])
    func `a status without words has its code`(
        _ status: Int,
        _ code: ErrorCode,
        _ isRetryable: Bool,
        _ answered: Int
    ) {
        let failure = failure(status, "<html>")

        #expect(failure.code == code)
        #expect(failure.isRetryable == isRetryable)
        #expect(failure.code.status == answered)
        #expect(failure.message == "the provider answered \(status)")
    }

    @Test func `a quota that is used up is not worth another try`() {
        let spent = failure(429, #"{"error":{"message":"x","code":"insufficient_quota"}}"#)

        #expect(!spent.isRetryable)
        #expect(spent.code == .upstreamRefused)
    }

    @Test(arguments: [
        "Incorrect API key provided: sk-proj-abcdEFGH1234_5678. See x",
        "key=sk-abcdefgh12345678", "(sk-ant-api03-abcdefgh)", "Authorization: Bearer abc.def/ghi==",
        #"{"x-api-key": "canary-0123/45"}"#, "got AIzaSyA1234567890abcdefghij",
        "api-key: secretword",
        "0123456789abcdef0123456789abcdef", "gsk_abcdefgh12345678 was refused",
    ])
    func `a message holds nothing that looks like a key`(_ message: String) {
        let message = ProviderFailure(code: .internal, message: message, isRetryable: false).message

        #expect(message.contains("[redacted]"))
        for part in [
            "sk-", "abcd", "abc.def", "ghi==", "canary", "45\"", "SyA", "secretword", "0123456",
        ] {
            #expect(!message.contains(part), "\(message)")
        }
    }

    @Test(arguments: [
        "The model `this-model-does-not-exist-12345` does not exist",
        "Your requests to grok-4-1-fast-non-reasoning have exceeded rate limit.",
        "invalid x-api-key", "request req_011CWdN9pQjsMGio failed",
        "Please retry in 48.939935699s. See https://ai.google.dev/gemini-api/docs/rate-limits",
    ])
    func `names and plain words stay`(_ message: String) {
        #expect(
            ProviderFailure(code: .internal, message: message, isRetryable: false).message
                == message
        )
    }

    @Test func `a known secret is removed wherever it stands`() {
        let failure = ProviderFailure(
            code: .internal,
            message: "no (hunter2) here",
            type: "hunter2",
            isRetryable: false
        ).scrubbed(of: ["hunter2"])

        #expect(failure.message == "no ([redacted]) here")
        #expect(failure.type == "[redacted]")
    }

    @Test func `a message is bounded and stays UTF-8`() {
        let message = ProviderFailure(
            code: .internal,
            message: String(repeating: "é", count: 4_000),
            isRetryable: false
        ).message

        #expect(message.utf8.count <= ProviderFailure.messageLimit)
        #expect(message.allSatisfy { $0 == "é" })
    }

    @Test func `every code has its form for OpenAI's clients`() throws {
        for code in ErrorCode.allCases {
            var output: [UInt8] = []
            code.appendOpenAIError(message: "a\"b", param: "p", to: &output)
            let root = try JSONValue(parsing: output.span)
            let message = root.member(at: ["error", "message"], in: output.span)?
                .text(in: output.span)
            let param = root.member(at: ["error", "param"], in: output.span)?.text(in: output.span)
            #expect(message == "a\"b")
            #expect(param == "p")
            #expect((400...599).contains(code.status))
        }
    }
}
