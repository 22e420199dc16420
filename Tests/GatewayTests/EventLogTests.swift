import Gateway
import StreamBytes
import TestSupport
import Testing

struct EventLogTests {
    private func log(_ payloads: [String]) -> EventLog {
        var log = EventLog()
        for payload in payloads {
            log.append(.text, Array(payload.utf8).span, readAtMicroseconds: 7)
        }
        return log
    }

    private func texts(_ log: borrowing EventLog, from cursor: EventLog.Cursor) -> [String] {
        var cursor = cursor
        var texts: [String] = []
        while let entry = log.next(&cursor) {
            texts.append(String(decoding: log.bytes[entry.payload], as: UTF8.self))
        }
        return texts
    }

    @Test func `events come back in order with their numbers and times`() {
        let log = log(["a", "", "ccc"])
        var cursor = log.oldest

        var numbers: [UInt64] = []
        var times: [UInt32] = []
        while let entry = log.next(&cursor) {
            numbers.append(entry.sequence)
            times.append(entry.readAtMicroseconds)
        }

        #expect(numbers == [1, 2, 3])
        #expect(times == [7, 7, 7])
        #expect(texts(log, from: log.oldest) == ["a", "", "ccc"])
    }

    @Test func `a reader continues after the event that it has`() {
        let log = log(["a", "b", "c"])

        #expect(texts(log, from: log.cursor(after: 1)) == ["b", "c"])
        #expect(texts(log, from: log.cursor(after: 3)) == [])
        #expect(texts(log, from: log.cursor(after: 99)) == [])
    }

    @Test func `trimming drops the oldest events down to the limit`() {
        var log = log((0..<100).map { "event \($0)" })

        log.trim(toByteLimit: 200, keeping: log.end)

        #expect(log.byteCount <= 200)
        #expect(log.lastSequence == 100)
        #expect(texts(log, from: log.oldest).last == "event 99")
        #expect(log.cursor(after: 1) == log.oldest)
    }

    @Test func `trimming never drops what a reader still needs`() {
        var log = log(["a", "b", "c", "d"])
        let reader = log.cursor(after: 2)

        log.trim(toByteLimit: 0, keeping: reader)

        #expect(texts(log, from: reader) == ["c", "d"])
        #expect(log.oldest == reader)
    }

    @Test func `numbers go on after everything was dropped`() {
        var log = log(["a", "b"])
        log.trim(toByteLimit: 0, keeping: log.end)

        log.append(.complete, Array("{}".utf8).span, readAtMicroseconds: 0)

        #expect(log.oldest.sequence == 3)
        #expect(texts(log, from: log.oldest) == ["{}"])
    }

    @Test func `random appends, reads and trims agree with an array`() {
        var random = SeededChance(seed: 20_261_121)
        var log = EventLog()
        var model: [(UInt64, String)] = []
        var last: UInt64 = 0
        for _ in 0..<2_000 {
            if random.next() % 3 > 0 {
                last += 1
                let text = String(repeating: "x", count: Int(random.next() % 40))
                log.append(.text, Array(text.utf8).span, readAtMicroseconds: 0)
                model.append((last, text))
            } else {
                let limit = Int(random.next() % 400)
                log.trim(toByteLimit: limit, keeping: log.end)
                while model.reduce(0, { $0 + $1.1.utf8.count + EventLog.overhead }) > limit {
                    model.removeFirst()
                }
            }
            #expect(texts(log, from: log.oldest) == model.map(\.1))
            #expect(log.oldest.sequence == model.first?.0 ?? last + 1)
        }
    }
}
