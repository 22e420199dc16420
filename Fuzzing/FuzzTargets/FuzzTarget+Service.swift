import RedisStreams
import Service
import StreamBytes
import YAMLText

extension FuzzTarget {
    private static let words = [
        "listen: ", "tls:\n  - { certificate: a, key: b }\n", "providers:\n  - name: ", "models:\n",
        "stream: { heartbeat: 15s }", "${A}", "${A:-b}", "$$", "'", "\"", "|", ">", "&a", "*a",
        "- ", "  ", "? ", ": ", "{", "}", "[", "]", "#", "---\n", "...\n", "!!str", "<<:", "\t",
        "127.0.0.1:8080", "15s", "64KiB", "openai",
    ]

    static let yaml = FuzzTarget("yaml", words: words) { input in
        let lineCount = input.count { $0 == 0x0A || $0 == 0x0D } + 1
        do throws(YAMLError) {
            if let node = try YAMLDocument.parse(input) { check(node, depth: 0) }
        } catch {
            promise(error.position.line >= 1, "a mistake has a line")
            promise(error.position.column >= 1, "a mistake has a column")
            // YAML breaks lines at characters of its own, too.
            promise(
                error.position.line <= lineCount + input.count / 2 + 1,
                "a line that is there"
            )
            promise(!"\(error)".isEmpty, "a mistake is explained")
        }
    }

    private static func check(_ node: YAMLNode, depth: Int) {
        promise(depth <= YAMLDocument.depthLimit, "depth is bounded")
        promise(node.position.line >= 1 && node.position.column >= 1, "a node has a place")
        switch node.content {
        case .scalar: break
        case .sequence(let items): for item in items { check(item, depth: depth + 1) }
        case .mapping(let entries):
            for entry in entries { check(entry.value, depth: depth + 1) }
            promise(Set(entries.map(\.key)).count == entries.count, "a key stands once")
        }
    }

    static let configuration = FuzzTarget("configuration", words: words) { input in
        let loader = ConfigurationLoader(
            path: "w.yaml",
            environment: ["A": "a", "HOME": "/h"],
            now: WallTime(milliseconds: 1_800_000_000_000),
            readFile: { path throws(FileError) in
                guard path == "w.yaml" else { throw .missing }
                return input
            }
        )
        do throws(ConfigurationRefused) {
            let loaded = try loader.load()
            promise(loaded.path == "w.yaml", "the file that was named is read")
        } catch {
            promise(!error.mistakes.isEmpty, "a refusal has a reason")
            for mistake in error.mistakes {
                promise(!mistake.message.isEmpty, "a mistake is explained")
                if case .file(let path, let position) = mistake.place {
                    promise(path == "w.yaml" && position.line >= 1, "a mistake has a place")
                }
            }
        }
    }

    static let redisReplies = FuzzTarget(
        "redis-replies",
        words: [
            "+OK\r\n", "-ERR x\r\n", ":1\r\n", "$5\r\nhello\r\n", "$-1\r\n", "*2\r\n", "*-1\r\n",
        ]
    ) { input in
        Pieces(input).expectSame("replies read the same in any pieces", replies)
    }

    private struct Replies: Equatable {
        var values: [RedisValue] = []
        var hasFailed = false
    }

    private static func replies(_ pieces: [[UInt8]]) -> Replies {
        var result = Replies()
        guard var reader = try? ReplyReader(byteLimit: 1 << 20, valueLimit: 1_000) else {
            return result
        }
        do throws(ReplyError) {
            for piece in pieces {
                try reader.feed(piece.span)
                while let value = try reader.next() { result.values.append(value) }
            }
        } catch {
            result.hasFailed = true
        }
        return result
    }
}
