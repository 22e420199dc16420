import Glibc
import MeterLog
import TestSupport

/// A spool's files in memory, which can fail, lose what was not synced, and be damaged.
final class MemoryStorage: SegmentStorage {
    struct File: Equatable {
        var bytes: [UInt8]
        /// What a power cut leaves for certain.
        var stored: [UInt8]
    }

    var files: [Int64: File] = [:]
    private(set) var quarantine: [String: [UInt8]] = [:]
    var savedRelease: [UInt8] = []
    /// The next calls of an operation that fail, with the error's number.
    var failures: [StorageError.Operation: Int32] = [:]
    /// Of all files; writes beyond it fail part of the way.
    var room = Int.max

    func segments() throws(StorageError) -> [(number: Int64, byteCount: Int)] {
        try fail(.list, 0)
        return files.keys.sorted().map { ($0, files[$0]?.bytes.count ?? 0) }
    }

    func create(_ number: Int64, holding bytes: [UInt8]) throws(StorageError) {
        try fail(.create, number)
        guard freeByteCount >= bytes.count else { throw error(.create, number, ENOSPC) }
        files[number] = File(bytes: bytes, stored: bytes)
    }

    func write(_ bytes: [UInt8], to number: Int64, at offset: Int) throws(StorageError) {
        guard var file = files[number] else { throw error(.write, number, ENOENT) }
        let part = bytes.prefix(failures[.write] == nil ? freeByteCount : bytes.count / 2)
        let end = min(file.bytes.count, offset + part.count)
        file.bytes.replaceSubrange(offset..<end, with: part)
        files[number] = file
        try fail(.write, number)
        guard part.count == bytes.count else { throw error(.write, number, ENOSPC) }
    }

    func sync(_ number: Int64) throws(StorageError) {
        try fail(.sync, number)
        guard let file = files[number] else { throw error(.sync, number, ENOENT) }
        files[number]?.stored = file.bytes
    }

    func truncate(_ number: Int64, to byteCount: Int) throws(StorageError) {
        try fail(.truncate, number)
        guard let file = files[number] else { throw error(.truncate, number, ENOENT) }
        files[number]?.bytes.removeLast(file.bytes.count - byteCount)
    }

    func read(_ number: Int64, from offset: Int, limit: Int) throws(StorageError) -> [UInt8] {
        try fail(.read, number)
        guard let file = files[number] else { throw error(.read, number, ENOENT) }
        return Array(file.bytes.dropFirst(offset).prefix(limit))
    }

    func remove(_ number: Int64) throws(StorageError) {
        try fail(.remove, number)
        files[number] = nil
    }

    func keepAside(
        _ bytes: [UInt8],
        of number: Int64,
        at offset: Int
    ) throws(StorageError) -> Bool {
        try fail(.keepAside, number)
        guard quarantine["\(number)-\(offset)"] == nil else { return false }
        quarantine["\(number)-\(offset)"] = bytes
        return true
    }

    func released() throws(StorageError) -> [UInt8] { savedRelease }

    func saveReleased(_ bytes: [UInt8]) throws(StorageError) { savedRelease = bytes }

    /// What is left after a power cut: of what was not synced, the first bytes, or garbage.
    func cutPower(_ random: inout SeededChance) {
        for (number, file) in files {
            var left = file.stored
            let rest = file.bytes.dropFirst(left.count)
            left += rest.prefix(random.below(rest.count + 1))
            if random.chance(perMille: 300) {
                left += [UInt8](repeating: 0, count: random.below(200))
            }
            files[number] = File(bytes: left, stored: left)
        }
    }

    private var freeByteCount: Int {
        max(0, room - files.values.reduce(0) { $0 + $1.bytes.count })
    }

    private func fail(_ operation: StorageError.Operation, _ number: Int64) throws(StorageError) {
        guard let failure = failures.removeValue(forKey: operation) else { return }
        throw error(operation, number, failure)
    }

    private func error(
        _ operation: StorageError.Operation,
        _ number: Int64,
        _ code: Int32
    ) -> StorageError {
        StorageError(operation, "\(number)", code)
    }
}
