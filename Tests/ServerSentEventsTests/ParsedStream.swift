import Foundation
import ServerSentEvents
import StreamBytes

/// What a parser made of a whole body.
struct ParsedStream: Equatable {
    struct Event: Equatable, Decodable {
        let type: String
        let data: String
        let lastEventId: String
    }

    var events: [Event] = []
    var retry: Int64?
    var lastEventID = ""

    init(_ pieces: [[UInt8]], byteLimit: Int = 64 << 20) throws(EventParsingError) {
        var parser = EventParser(byteLimit: byteLimit)
        for piece in pieces {
            var position = 0
            while let event = try parser.next(in: piece.span, from: &position) {
                let type = Self.text(event.type, piece, parser.heldType)
                events.append(
                    Event(
                        type: type.isEmpty ? "message" : type,
                        data: Self.text(event.data, piece, parser.heldData),
                        lastEventId: String(decoding: parser.lastEventID, as: UTF8.self)
                    )
                )
            }
        }
        parser.finish()
        retry = parser.retryMilliseconds
        lastEventID = String(decoding: parser.lastEventID, as: UTF8.self)
    }

    init(_ text: String) throws(EventParsingError) { try self.init([Array(text.utf8)]) }

    private static func text(
        _ place: ParsedEvent.Place,
        _ piece: [UInt8],
        _ held: [UInt8]
    ) -> String {
        switch place {
        case .nowhere: ""
        // Strict: what a parser lends must be UTF-8 already.
        case .input(let range): String(validating: piece[range], as: UTF8.self) ?? "not UTF-8"
        case .held: String(validating: held, as: UTF8.self) ?? "not UTF-8"
        }
    }
}

/// A body cut into pieces of `size` bytes.
func pieces(_ body: [UInt8], of size: Int) -> [[UInt8]] {
    stride(from: 0, to: body.count, by: size).map {
        Array(body[$0..<min($0 + size, body.count)])
    }
}
