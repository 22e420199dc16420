import BenchmarkSuite
import Compression
import Glibc
import Replay

/// Prints what content codings save and cost.
enum CodingTables {
    /// Streams that take turns in the compressors, as those of one reactor do.
    private static let copies = 64
    private static let runs = 5

    /// - Parameter folder: of recorded `.sse` files; nil: those that are part of the program.
    /// - Throws: when memory lacks.
    static func run(folder: String?) throws(CompressionError) {
        try printMemory()
        for stream in folder.map(recorded) ?? embedded where stream.writes.count >= 50 {
            try printRatios(stream)
        }
    }

    private static var embedded: [CodedStream] {
        var streams: [CodedStream] = []
        for body in EmbeddedBodies.all {
            switch body.format {
            case .openAIChat:
                streams += [.passedOn(body), .weirEvents(body, .openAI)]
            case .anthropicMessages: streams.append(.weirEvents(body, .anthropic))
            case .eventStream, .lines: break
            }
        }
        return streams
    }

    private static func printRatios(_ stream: CodedStream) throws(CompressionError) {
        let mean = stream.byteCount / stream.writes.count
        print("\n\(stream.name): \(stream.writes.count) events of \(mean) B\n")
        print("| | ratio | of zlib's default | CPU, µs per event |")
        print("| --- | ---: | ---: | ---: |")
        let measured = try CodingVariant.all.map { variant throws(CompressionError) in
            (variant, try measure(variant, stream))
        }
        guard let yardstick = measured.first(where: { $0.0.isYardstick })?.1 else { return }
        for (variant, (byteCount, nanoseconds)) in measured {
            let ratio = Double(stream.byteCount) / Double(byteCount)
            let share = Double(yardstick.byteCount) / Double(byteCount)
            let time = Double(nanoseconds) / 1_000
            print("| \(variant.name) | \(ratio.text(2)) | \(share.text(2)) | \(time.text(1)) |")
        }
    }

    private static func measure(
        _ variant: CodingVariant,
        _ stream: CodedStream
    ) throws(CompressionError) -> (byteCount: Int, nanoseconds: Int64) {
        var byteCount = 0
        var best = Int64.max
        for _ in 0..<runs {
            let start = processNanoseconds()
            byteCount = try variant.code(stream, copies: copies)
            best = min(best, processNanoseconds() - start)
        }
        return (byteCount, best / Int64(copies * stream.writes.count))
    }

    /// From the small to the large ones, all held to the end, so that none gets another's memory.
    private static func printMemory() throws(CompressionError) {
        guard let body = EmbeddedBodies.named("openai/chat-long-text-no-usage") else { return }
        let stream = CodedStream.passedOn(body)
        print("| | resident, bytes per stream |\n| --- | ---: |")
        var held: [HeldBodies] = []
        for variant in CodingVariant.all {
            let count = variant.name.hasPrefix("parked") ? 4_000 : 100
            let before = residentByteCount()
            held.append(try variant.hold(count, stream, writes: 20))
            print("| \(variant.name) | \((residentByteCount() - before) / count) |")
        }
        for bodies in held { bodies.close() }
    }

    private static func residentByteCount() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard unsafe fgets(&line, 128, file) != nil else { return 0 }
        let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let words = text.split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * 4_096 : 0
    }

    private static func recorded(_ folder: String) -> [CodedStream] {
        files(folder).compactMap { path in
            guard let bytes = contents(path) else { return nil }
            return .asRecorded(RecordedBody(name: path, bytes: bytes))
        }
    }

    private static func files(_ folder: String) -> [String] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var paths: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasPrefix(".") { continue }
            let path = "\(folder)/\(name)"
            paths += name.hasSuffix(".sse") ? [path] : files(path)
        }
        return paths.sorted()
    }

    private static func contents(_ path: String) -> [UInt8]? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, file)
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
        }
    }
}

extension Double {
    /// With so many decimals.
    fileprivate func text(_ decimals: Int) -> String {
        var unit = 1
        for _ in 0..<decimals { unit *= 10 }
        let scaled = Int((self * Double(unit)).rounded())
        let rest = String(scaled % unit)
        let zeros = String(repeating: "0", count: decimals - rest.utf8.count)
        return "\(scaled / unit).\(zeros)\(rest)"
    }
}
