import Metering

/// The file that says what is released: a line for each run, with a checksum at the end.
///
/// It only saves work after a restart, so a file that is damaged or missing counts as empty.
enum ReleasedForm {
    static func bytes(_ released: [GatewayRun: Int64]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (run, sequence) in released {
            bytes += Array("\(run.gateway) \(run.epoch) \(sequence)\n".utf8)
        }
        return bytes + Array("\(CRC32C.checksum(bytes, bytes.indices))\n".utf8)
    }

    static func read(_ bytes: [UInt8]) -> [GatewayRun: Int64] {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\n")
        let checksum = lines.popLast().flatMap { UInt32($0) }
        let body = Array(lines.map { $0 + "\n" }.joined().utf8)
        guard checksum == CRC32C.checksum(body, body.indices) else { return [:] }
        var released: [GatewayRun: Int64] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count == 3, let epoch = Int64(words[1]), let sequence = Int64(words[2])
            else { continue }
            released[GatewayRun(gateway: String(words[0]), epoch: epoch)] = sequence
        }
        return released
    }
}
