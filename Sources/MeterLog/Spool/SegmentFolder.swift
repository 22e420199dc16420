import Glibc
import Reactor

/// A spool's files in a folder that nobody else writes to.
///
/// A segment is named after its number, 16 digits and `.segment`; damaged bytes go to
/// `quarantine/<number>-<offset>`. Everything is for this user alone.
package final class SegmentFolder: SegmentStorage {
    private let path: String
    /// The segment that was written to last.
    private var writing: (number: Int64, descriptor: Int32)?
    /// The segment that was read last.
    private var reading: (number: Int64, descriptor: Int32)?

    /// Makes the folder if it is missing; its parent must exist.
    ///
    /// - Throws: `StorageError`.
    package init(_ path: String) throws(StorageError) {
        self.path = path
        try Self.makeFolder(path)
    }

    deinit {
        if let writing { close(writing.descriptor) }
        if let reading { close(reading.descriptor) }
    }

    package func segments() throws(StorageError) -> [(number: Int64, byteCount: Int)] {
        guard let folder = unsafe opendir(path) else { throw StorageError(.list, path, errno) }
        defer { unsafe closedir(folder) }
        var found: [(number: Int64, byteCount: Int)] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(folder) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = Self.number(of: name) else { continue }
            var status = stat()
            guard unsafe stat(file(number), &status) == 0 else {
                throw StorageError(.list, file(number), errno)
            }
            found.append((number, Int(status.st_size)))
        }
        guard errno == 0 else { throw StorageError(.list, path, errno) }
        return found.sorted { $0.number < $1.number }
    }

    package func create(_ number: Int64, holding bytes: [UInt8]) throws(StorageError) {
        let path = file(number)
        // A file of that number is left of an earlier try that failed.
        unsafe unlink(path)
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError(.create, path, errno) }
        do throws(StorageError) {
            try Self.write(bytes, to: descriptor, at: 0, path)
            try Self.sync(descriptor, path)
            try Self.syncFolder(self.path)
        } catch {
            close(descriptor)
            unsafe unlink(path)
            throw error
        }
        if let writing { close(writing.descriptor) }
        writing = (number, descriptor)
    }

    package func write(
        _ bytes: [UInt8],
        to number: Int64,
        at offset: Int
    ) throws(StorageError) {
        try Self.write(bytes, to: descriptorForWriting(number), at: offset, file(number))
    }

    package func sync(_ number: Int64) throws(StorageError) {
        try Self.sync(descriptorForWriting(number), file(number))
    }

    package func truncate(_ number: Int64, to byteCount: Int) throws(StorageError) {
        let descriptor = try descriptorForWriting(number)
        guard ftruncate(descriptor, byteCount) == 0 else {
            throw StorageError(.truncate, file(number), errno)
        }
    }

    package func read(
        _ number: Int64,
        from offset: Int,
        limit: Int
    ) throws(StorageError) -> [UInt8] {
        if reading?.number != number {
            if let reading { close(reading.descriptor) }
            reading = nil
            let descriptor = unsafe open(file(number), O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw StorageError(.read, file(number), errno) }
            reading = (number, descriptor)
        }
        guard let descriptor = reading?.descriptor else { return [] }
        return try Self.read(descriptor, from: offset, limit: limit, file(number))
    }

    package func remove(_ number: Int64) throws(StorageError) {
        if let writing, writing.number == number {
            close(writing.descriptor)
            self.writing = nil
        }
        if let reading, reading.number == number {
            close(reading.descriptor)
            self.reading = nil
        }
        guard unsafe unlink(file(number)) == 0 || errno == ENOENT else {
            throw StorageError(.remove, file(number), errno)
        }
    }

    package func keepAside(
        _ bytes: [UInt8],
        of number: Int64,
        at offset: Int
    ) throws(StorageError) -> Bool {
        let folder = "\(path)/quarantine"
        try Self.makeFolder(folder)
        let path = "\(folder)/\(Self.digits(number))-\(offset)"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST { return false }
        guard descriptor >= 0 else { throw StorageError(.keepAside, path, errno) }
        defer { close(descriptor) }
        do throws(StorageError) {
            try Self.write(bytes, to: descriptor, at: 0, path)
            try Self.sync(descriptor, path)
        } catch {
            unsafe unlink(path)
            throw StorageError(.keepAside, path, error.number)
        }
        return true
    }

    package func released() throws(StorageError) -> [UInt8] {
        let descriptor = unsafe open(releasedFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw StorageError(.read, releasedFile, errno) }
            return []
        }
        defer { close(descriptor) }
        return try Self.read(descriptor, from: 0, limit: 65_536, releasedFile)
    }

    package func saveReleased(_ bytes: [UInt8]) throws(StorageError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptor = unsafe open(releasedFile, flags, 0o600)
        guard descriptor >= 0 else { throw StorageError(.create, releasedFile, errno) }
        defer { close(descriptor) }
        try Self.write(bytes, to: descriptor, at: 0, releasedFile)
    }
}

// MARK: - Names and descriptors

extension SegmentFolder {
    private var releasedFile: String { "\(path)/released" }

    private func file(_ number: Int64) -> String { "\(path)/\(Self.digits(number)).segment" }

    private static func digits(_ number: Int64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 16 - text.count)) + text
    }

    private static func number(of name: String) -> Int64? {
        guard name.hasSuffix(".segment") else { return nil }
        let digits = name.dropLast(8)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(digits)
    }

    private func descriptorForWriting(_ number: Int64) throws(StorageError) -> Int32 {
        if let writing, writing.number == number { return writing.descriptor }
        let descriptor = unsafe open(file(number), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError(.write, file(number), errno) }
        if let writing { close(writing.descriptor) }
        writing = (number, descriptor)
        return descriptor
    }

    private static func makeFolder(_ path: String) throws(StorageError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StorageError(.create, path, errno)
        }
    }
}

// MARK: - Calls

extension SegmentFolder {
    private static func write(
        _ bytes: [UInt8],
        to descriptor: Int32,
        at offset: Int,
        _ path: String
    ) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return unsafe pwrite(descriptor, rest.baseAddress, rest.count, offset + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StorageError(.write, path, count == 0 ? ENOSPC : errno) }
            done += count
        }
    }

    static func read(
        _ descriptor: Int32,
        from offset: Int,
        limit: Int,
        _ path: String
    ) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var done = 0
        while done < limit {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return unsafe pread(descriptor, rest.baseAddress, rest.count, offset + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StorageError(.read, path, errno) }
            guard count > 0 else { break }
            done += count
        }
        bytes.removeLast(limit - done)
        return bytes
    }

    private static func sync(_ descriptor: Int32, _ path: String) throws(StorageError) {
        guard fdatasync(descriptor) == 0 else { throw StorageError(.sync, path, errno) }
    }

    /// A name is stored only when its folder is.
    private static func syncFolder(_ path: String) throws(StorageError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError(.sync, path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageError(.sync, path, errno) }
    }
}
