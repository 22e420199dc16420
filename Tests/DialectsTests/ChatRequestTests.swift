import Dialects
import StreamBytes
import Testing

@Suite struct ChatRequestTests {
    private static let messages = #""messages":[{"role":"user","content":"hé\n"}]"#

    private func request(_ members: String) throws(ChatRequestError) -> ChatRequest {
        try ChatRequest(parsing: Array("{\(members)}".utf8))
    }

    private func chatBody(
        _ members: String,
        streams: Bool = true,
        asksForUsage: Bool = true
    ) throws(ChatRequestError) -> String {
        let body = try request(members).body(
            for: .openAI,
            model: "theirs",
            streams: streams,
            asksForUsage: asksForUsage
        )
        return String(decoding: body, as: UTF8.self)
    }

    private func translated(_ members: String, streams: Bool = true) throws -> String {
        let body = try request(members).body(
            for: .anthropic,
            model: "theirs",
            streams: streams,
            asksForUsage: true
        )
        return String(decoding: body, as: UTF8.self)
    }

    private func param(refusing members: String) -> String? {
        do {
            _ = try translated(members)
            return nil
        } catch {
            return (error as? ChatRequestError)?.param ?? "without param"
        }
    }

    @Test func `what Weir needs is read`() throws {
        let full = try request(
            #""model":"m",\#(Self.messages),"stream":true,"stream_options":{"include_usage":true},"#
                + #""user":"u","purpose":"p","max_tokens":5,"max_completion_tokens":7,"new":[1]"#
        )
        let bare = try request(#""model":"m",\#(Self.messages),"stream":null,"user":null"#)

        #expect([full.model, full.user, full.purpose] == ["m", "u", "p"])
        #expect(full.streams && full.includesUsage)
        #expect(full.outputTokenLimit == 7)
        #expect([bare.user, bare.purpose] == ["", ""])
        #expect(!bare.streams && !bare.includesUsage)
        #expect(bare.outputTokenLimit == nil)
    }

    @Test func `the input is counted over the contents of all messages`() throws {
        let parts = #"[{"type":"text","text":"ab"},{"type":"image_url","image_url":{"url":"x"}}]"#
        let input = try request(
            #""model":"m","messages":[{"role":"user","content":"\u00e9\n"},{"role":"user","content":\#(parts)}]"#
        ).input

        #expect(input.contentBytes == 5)
        #expect(input.messages == 2)
    }

    @Test(arguments: [
        ("", nil), ("x", nil), ("[]", nil), ("{}", "model"), (#"{"model":1}"#, "model"),
        (#"{"model":""}"#, "model"), (#"{"model":"m"}"#, "messages"),
        (#"{"model":"m","messages":[]}"#, "messages"),
        (#"{"model":"m","messages":[1]}"#, "messages"),
        (#"{"model":"m","messages":[{}],"stream":"yes"}"#, "stream"),
        (#"{"model":"m","messages":[{}],"stream_options":1}"#, "stream_options"),
        (#"{"model":"m","messages":[{}],"max_tokens":0}"#, "max_tokens"),
        (#"{"model":"m","messages":[{}],"user":{}}"#, "user"),
        (#"{"model":"m","messages":[{}],"model":"n"}"#, "model"),
        (#"{"model":"m","messages":[{}],"mod\u0065l":"n"}"#, "model"),
    ])
    func `a body that cannot be served is refused by name`(_ body: String, _ param: String?) {
        let error = #expect(throws: ChatRequestError.self) {
            try ChatRequest(parsing: Array(body.utf8))
        }
        #expect(error?.param == param)
        #expect(error?.status == 400)
    }

    @Test func `a body beyond the limit or not in UTF-8 is refused`() {
        let long = #expect(throws: ChatRequestError.self) {
            try ChatRequest(parsing: Array("{\"model\":\"m\"}".utf8), byteLimit: 5)
        }
        let other = #expect(throws: ChatRequestError.self) {
            try ChatRequest(parsing: Array("{\"model\":\"".utf8) + [0xFF] + Array("\"}".utf8))
        }

        #expect(long?.status == 413)
        #expect(other?.status == 400)
    }

    @Test func `for OpenAI everything stays as received but for what Weir decides`() throws {
        let body = try chatBody(
            #" "purpose": "p", "model" : "mine" , \#(Self.messages),"seed":1e0,"stream":false, "#
                + #""stream_options":{"include_usage":false,"x":1},"logprobs" :true "#
        )

        #expect(
            body == #"{ "model" : "theirs" , \#(Self.messages),"seed":1e0,"stream":true, "#
                + #""stream_options":{"x":1,"include_usage":true},"logprobs" :true }"#
        )
    }

    @Test func `a stream and its usage are asked for where the client did not`() throws {
        let members = #""model":"mine",\#(Self.messages)"#

        #expect(
            try chatBody(members) == #"{"model":"theirs",\#(Self.messages),"stream":true,"#
                + #""stream_options":{"include_usage":true}}"#
        )
        #expect(
            try chatBody(members, asksForUsage: false)
                == #"{"model":"theirs",\#(Self.messages),"stream":true}"#
        )
    }

    @Test func `without a stream there are no options of a stream`() throws {
        let body = try chatBody(
            #""model":"mine","stream":true,"stream_options":{},\#(Self.messages),"purpose":"p""#,
            streams: false
        )

        #expect(body == #"{"model":"theirs","stream":false,\#(Self.messages)}"#)
    }

    @Test func `for Anthropic the fields are translated`() throws {
        let body = try translated(
            #""model":"mine","messages":[{"role":"system","content":"be\n"},"#
                + #"{"role":"developer","content":[{"type":"text","text":"kind"}]},"#
                + #"{"role":"user","content":"hi","name":null},{"role":"assistant","content":"yo"},"#
                + #"{"role":"user","content":[{"type":"text","text":"a"},{"text":"b","type":"text"}]}],"#
                + #""max_tokens":9,"stop":"x","temperature":0.5,"top_p":1,"user":"u","n":1,"seed":null,"#
                + #""purpose":"p","stream":false,"stream_options":{"include_usage":true}"#
        )

        #expect(
            body == #"{"model":"theirs","max_tokens":9,"system":"be\n\n\nkind","messages":["#
                + #"{"role":"user","content":"hi"},{"role":"assistant","content":"yo"},"#
                + #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],"#
                + #""stop_sequences":["x"],"temperature":0.5,"top_p":1,"metadata":{"user_id":"u"},"#
                + #""stream":true}"#
        )
    }

    @Test func `Anthropic gets a limit and several stops`() throws {
        let body = try translated(
            #""model":"m",\#(Self.messages),"stop":["a","b"]"#,
            streams: false
        )

        #expect(body.contains(#""max_tokens":4096"#))
        #expect(body.contains(#""stop_sequences":["a","b"]"#))
        #expect(body.contains(#""stream":false"#))
    }

    @Test(arguments: [
        (#""tools":[]"#, "tools"), (#""seed":1"#, "seed"), (#""n":2"#, "n"), (#""stop":1"#, "stop"),
        (#""stop":[1]"#, "stop"), (#""temperature":"x""#, "temperature"), (#""new":false"#, "new"),
    ])
    func `a field without a counterpart is refused by name`(_ member: String, _ param: String) {
        #expect(self.param(refusing: #""model":"m",\#(Self.messages),\#(member)"#) == param)
    }

    @Test(arguments: [
        (#"{"role":"tool","content":"x"}"#, "messages[0].role"),
        (#"{"role":"user","content":"x","name":"y"}"#, "messages[0].name"),
        (#"{"role":"assistant","content":"x","tool_calls":[]}"#, "messages[0].tool_calls"),
        (#"{"role":"user"}"#, "messages[0].content"),
        (#"{"role":"user","content":[]}"#, "messages[0].content"),
        (#"{"role":"user","content":[{"type":"image_url","text":"x"}]}"#, "messages[0].content"),
        (#"{"role":"system","content":"x"}"#, "messages"),
    ])
    func `a message without a counterpart is refused by name`(_ message: String, _ param: String) {
        #expect(self.param(refusing: #""model":"m","messages":[\#(message)]"#) == param)
    }

    @Test func `a prompt becomes a request of one message`() throws {
        let made = try ChatRequest(parsing: ChatRequest.body(model: "m\"", prompt: "a\n\"b"))

        #expect(made.model == "m\"")
        #expect(made.input.contentBytes == 4)
    }
}
