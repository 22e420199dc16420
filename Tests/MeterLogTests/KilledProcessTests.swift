import Glibc
import MeterLog
import Metering
import Reactor
import StreamBytes
import TestSupport
import Testing

/// A process that stores records and is killed in the middle of it.
struct KilledProcessTests {
    @Test(arguments: 0..<8)
    func `what was confirmed before a kill is there after it`(round: Int) async throws {
        let folder = try ScratchFolder()
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, round = round as Int] in
            try storeUntilKilled(in: path, after: round)
        }

        let confirmed = try confirmedCount(in: path)
        var log = try SegmentLog(
            in: SegmentFolder("\(path)/spool"),
            gateway: "gw",
            at: WallTime(milliseconds: noon.milliseconds + 1)
        )
        let ids = try log.readAll(limit: 500).recordIDs
        #expect(confirmed > 0)
        #expect(ids.count >= confirmed)
        #expect(ids == (1...ids.count).map { sampleRecord($0).recordID })
        #expect(log.finding.damagedCount == 0)
    }
}

/// Stores records, says after each how many are confirmed, and is killed after a while.
private func storeUntilKilled(in path: String, after round: Int) throws {
    var log = try SegmentLog(in: SegmentFolder("\(path)/spool"), gateway: "gw", at: noon)
    let file = unsafe open("\(path)/confirmed", O_CREAT | O_WRONLY, 0o600)
    var number = 0
    while true {
        let batch = ((number + 1)...(number + 5)).map(sampleRecord)
        try log.append(batch, at: noon)
        number += 5
        let text = Array("\(number)     \n".utf8)
        unsafe text.withUnsafeBytes { _ = unsafe pwrite(file, $0.baseAddress, $0.count, 0) }
        guard number == 5 else { continue }
        _ = try NativeThread(named: "killer") {
            usleep(UInt32(100 + 4_999 * round))
            kill(getpid(), SIGKILL)
        }
    }
}

private func confirmedCount(in path: String) throws -> Int {
    let file = unsafe open("\(path)/confirmed", O_RDONLY)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe read(file, &bytes, bytes.count)
    let digits = bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
    return Int(String(decoding: digits, as: UTF8.self)) ?? 0
}
