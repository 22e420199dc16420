import Foundation
import Reactor
import Service
import StreamBytes
import Telemetry
import TestSupport
import Testing

struct LogWriterTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func open(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(fileURLWithPath: path))
        return try #require(FileHandle(forWritingAtPath: path))
    }

    private func lines(_ path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    @Test func `lines come out whole, in order, as JSON where nobody watches`() throws {
        let file = try open(scratch.path("log"))
        let log = try LogWriter(to: file.fileDescriptor) { WallTime(milliseconds: 0) }

        for number in 0..<1_000 { log.write(LogLine(.info, "line").with("number", number)) }
        log.close()

        let written = try lines(scratch.path("log"))
        #expect(written.count == 1_000)
        #expect(
            written[7]
                == #"{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"line","number":7}"#
        )
        #expect(log.droppedLines == 0)
    }

    @Test func `lines of several threads do not mix`() async throws {
        let file = try open(scratch.path("log"))
        let log = try LogWriter(to: file.fileDescriptor, form: .text)

        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for number in 0..<250 {
                        log.write(LogLine(.info, "x").with("thread", thread).with("n", number))
                    }
                }
            }
        }
        log.close()

        let written = try lines(scratch.path("log"))
        #expect(written.count == 1_000)
        #expect(written.allSatisfy { $0.contains(" info x thread=") })
    }

    @Test func `a reader that does not read holds nobody up, and learns what it missed`() throws {
        let pipe = Pipe()
        let log = try LogWriter(
            to: pipe.fileHandleForWriting.fileDescriptor,
            form: .json,
            byteLimit: 10_000
        )
        let text = String(repeating: "x", count: 1_000)
        let clock = ContinuousClock()

        let spent = clock.measure {
            for _ in 0..<1_000 { log.write(LogLine(.info, "line").with("text", text)) }
        }

        #expect(log.droppedLines > 800)
        #expect(spent < .seconds(5))
        #expect(!log.flush(atMost: .milliseconds(50)))
        // Once somebody reads, the rest comes, and with it the count.
        let reader = Guarded(Data())
        let thread = Thread {
            while true {
                let data = pipe.fileHandleForReading.availableData
                if data.isEmpty { break }
                reader.withLock { $0.append(data) }
            }
        }
        thread.start()
        #expect(log.flush(atMost: .seconds(20)))
        log.write(LogLine(.info, "last"))
        log.close(atMost: .seconds(20))
        try pipe.fileHandleForWriting.close()
        while !thread.isFinished { usleep(1_000) }
        let output = String(decoding: reader.withLock { $0 }, as: UTF8.self)
        #expect(output.contains(#""event":"log_lines_dropped","lines":"#))
        #expect(output.hasSuffix("\"event\":\"last\"}\n"))
    }

    @Test func `a log that cannot be written harms nobody`() throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        signal(SIGPIPE, SIG_IGN)
        let log = try LogWriter(to: pipe.fileHandleForWriting.fileDescriptor)

        log.write(LogLine(.info, "line"))

        #expect(log.flush(atMost: .seconds(10)))
        #expect(log.droppedLines == 1)
        log.close()
        log.write(LogLine(.info, "late"))
        #expect(log.droppedLines == 2)
    }
}
