import StreamBytes
import TestSupport

/// What a provider sends for one stream, and what its clients must then see.
struct StreamScript {
    enum Fate: Equatable {
        case whole
        /// The connection ends, or breaks, after so many events.
        case cut(after: Int)
        case reset(after: Int)
        /// Nothing more comes after so many events.
        case silent(after: Int)
        case refused(status: Int)
        case noAnswer
    }

    let index: Int
    let texts: [String]
    let fate: Fate
    let sendsUsage: Bool

    init(seed: UInt64, index: Int) {
        var random = SeededChance(seed: seed &* 1_000_003 &+ UInt64(index))
        self.index = index
        texts = (0..<random.within(1...50)).map { number in
            " \(index).\(number)" + ["", "é", "😄", "\n", "\"", "data: x"][random.below(6)]
        }
        sendsUsage = random.chance(perMille: 800)
        let place = random.below(texts.count + 1)
        switch random.below(100) {
        case 0..<70: fate = .whole
        case 70..<78: fate = .cut(after: place)
        case 78..<86: fate = .reset(after: place)
        case 86..<90: fate = .silent(after: place)
        case 90..<95: fate = .refused(status: [400, 429, 500, 529][random.below(4)])
        default: fate = .noAnswer
        }
    }

    var inputTokens: Int64 { Int64(10 + index) }
    var outputTokens: Int64 { Int64(texts.count) }
    var text: String { texts.joined() }

    /// The events' JSON, under the name that the model has on either side of the gateway.
    func events(model: String) -> [String] {
        let head =
            #"{"id":"c\#(index)","object":"chat.completion.chunk","created":1,"model":"\#(model)","#
        var events = texts.map { text in
            head + #""choices":[{"index":0,"delta":{"content":\#(Self.quoted(text))},"#
                + #""finish_reason":null}]}"#
        }
        events.append(head + #""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#)
        return events
    }

    func usageEvent(model: String) -> String {
        #"{"id":"c\#(index)","object":"chat.completion.chunk","created":1,"model":"\#(model)","#
            + #""choices":[],"usage":{"prompt_tokens":\#(inputTokens),"#
            + #""completion_tokens":\#(outputTokens),"total_tokens":\#(inputTokens + outputTokens)}}"#
    }

    /// The events that the provider really sends, each framed, and whether the answer ends well.
    var frames: [String] {
        var events = events(model: "upstream")
        if sendsUsage { events.append(usageEvent(model: "upstream")) }
        events.append("[DONE]")
        switch fate {
        case .whole: break
        case .cut(let count), .reset(let count), .silent(let count):
            events = Array(events.prefix(count))
        case .refused, .noAnswer: events = []
        }
        return events.map { "data: \($0)\n\n" }
    }

    /// The texts that reach the gateway.
    var deliveredTexts: ArraySlice<String> {
        switch fate {
        case .whole: texts[...]
        case .cut(let count), .reset(let count), .silent(let count): texts.prefix(count)
        case .refused, .noAnswer: []
        }
    }

    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.append(jsonString: text)
        return String(decoding: bytes, as: UTF8.self)
    }
}
