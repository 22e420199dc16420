import Foundation

/// One raw exchange of `Tests/Fixtures/http/cases.json`.
package struct WireCase: Decodable, Sendable, CustomStringConvertible {
    package struct Part: Decodable, Sendable {
        let b64: String?
        let `repeat`: Int?
        let halfClose: Bool?

        enum CodingKeys: String, CodingKey {
            case b64
            case `repeat`
            case halfClose = "half_close"
        }
    }

    package struct Alternative: Decodable, Sendable {
        package let seq: [[Status]]
        package let close: Bool?
        package let body: String?
    }

    /// A status, a class such as `4xx`, or a word for several.
    package enum Status: Decodable, Sendable {
        case code(Int)
        case word(String)

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let code = try? container.decode(Int.self) {
                self = .code(code)
            } else {
                self = .word(try container.decode(String.self))
            }
        }

        package func matches(_ status: Int) -> Bool {
            switch self {
            case .code(let code): code == status
            case .word("any"): true
            case .word("rej"): (400...599).contains(status)
            case .word("get-ok"), .word("post-ok"): (200...299).contains(status)
            case .word(let word): word.hasSuffix("xx") && word.hasPrefix("\(status / 100)")
            }
        }
    }

    package let id: String
    package let level: String
    package let send: [Part]
    package let expect: [Alternative]
    package let slow: Double?

    enum CodingKeys: String, CodingKey {
        case id
        case level
        case send
        case expect
        case slow = "slow_s"
    }

    package var description: String { id }

    package var halfCloses: Bool { send.contains { $0.halfClose == true } }

    /// What the client sends, with the places for path and host filled in.
    ///
    /// What repeats without end is cut behind 256 KiB, far beyond every limit.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for part in send {
            let raw = Array(Data(base64Encoded: part.b64 ?? "") ?? Data())
            let filled = Self.places.reduce(raw) { $0.replacing($1.0.utf8, with: $1.1.utf8) }
            for _ in 0..<(part.repeat ?? 1) where bytes.count < 262_144 { bytes += filled }
        }
        return bytes
    }

    private static let places = [
        ("@PATH@", "/"), ("@POST@", "/echo"), ("@HOST@", "127.0.0.1:8080"), ("@AUTH@", ""),
    ]

    /// What the client sends may be large; a case that repeats its parts is known by this.
    package var isLarge: Bool {
        send.contains { ($0.repeat ?? 1) > 1 || ($0.b64?.utf8.count ?? 0) > 3_000 }
    }

    /// All cases but those that are about time.
    package static let all: [WireCase] = {
        struct Document: Decodable {
            let cases: [WireCase]
        }
        var tests = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { tests.deleteLastPathComponent() }
        let file = tests.appendingPathComponent("Fixtures/http/cases.json")
        guard let data = try? Data(contentsOf: file),
            let document = try? JSONDecoder().decode(Document.self, from: data)
        else { return [] }
        return document.cases.filter { $0.slow == nil }
    }()

    /// The cases that are small enough to be cut at each place.
    package static let small = all.filter { !$0.isLarge }
}
