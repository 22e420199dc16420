import Glibc

/// The bytes of a file of slots, mapped into the process.
///
/// Owns the mapping: `init` makes it, `deinit` takes it away; the file stays. Every access is checked
/// against the file's length.
@safe
struct SlotMemory: ~Copyable {
    let byteCount: Int
    private let base: UnsafeMutableRawPointer

    /// Makes the file anew, with every byte reserved, and maps it.
    ///
    /// A file with holes would end the process by a signal when the memory runs out.
    ///
    /// - Throws: `StorageError`; there is no file then.
    init(creating path: String, byteCount: Int) throws(StorageError) {
        try SlotFile.remove(path)
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe open(path, flags, 0o600)
        guard descriptor >= 0 else { throw StorageError(.create, path, errno) }
        defer { close(descriptor) }
        let outcome = posix_fallocate(descriptor, 0, byteCount)
        guard outcome == 0 else {
            unsafe unlink(path)
            throw StorageError(.reserve, path, outcome)
        }
        let mapped = unsafe mmap(
            nil,
            byteCount,
            PROT_READ | PROT_WRITE,
            MAP_SHARED,
            descriptor,
            0
        )
        // The system's word for a mapping that failed is an address of all ones.
        guard let mapped = unsafe mapped, Int(bitPattern: mapped) != -1 else {
            let number = errno
            unsafe unlink(path)
            throw StorageError(.map, path, number)
        }
        unsafe base = mapped
        self.byteCount = byteCount
    }

    deinit { unsafe munmap(base, byteCount) }

    @inline(__always)
    func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= byteCount, "it is inside")
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    func store(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= byteCount, "it is inside")
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + offset).copyMemory(from: start, byteCount: source.count)
        }
    }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "it is inside")
        return unsafe [UInt8](
            UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        )
    }
}

/// What a file of slots that an earlier run left holds.
enum SlotFile {
    /// The longest file that is read.
    private static let byteLimit = 1 << 32

    static func remove(_ path: String) throws(StorageError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw StorageError(.remove, path, errno)
        }
    }

    /// Moves the file out of the way, so that somebody can look at it.
    static func setAside(_ path: String) throws(StorageError) {
        guard unsafe rename(path, "\(path).unreadable") == 0 else {
            throw StorageError(.remove, path, errno)
        }
    }

    /// Returns the file's bytes; nil when there is none.
    ///
    /// - Throws: `StorageError`, also for what is no file of this user.
    static func read(_ path: String) throws(StorageError) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw StorageError(.read, path, errno) }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw StorageError(.read, path, errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
            status.st_size <= byteLimit
        else { throw StorageError(.read, path, EPERM) }
        return try SegmentFolder.read(descriptor, from: 0, limit: Int(status.st_size), path)
    }
}
