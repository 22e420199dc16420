import Glibc

/// The folder of one gateway, locked for as long as the value lives.
///
/// Owns the lock's descriptor: `init` takes the lock, `deinit` gives it back, and so does the end
/// of the process, however it ends.
package struct DataDirectory: ~Copyable, Sendable {
    package let path: String
    private let lock: Int32

    /// Makes the folder with mode 0700 if it is missing, and locks it.
    ///
    /// - Throws: `DataDirectoryError`.
    package init(_ path: String) throws(DataDirectoryError) {
        self.path = path
        try Self.makeFolder(path)
        let file = "\(path)/\(Self.lockName)"
        let descriptor: Int32
        do {
            descriptor = try Files.open(file, O_RDWR | O_CREAT | O_CLOEXEC, mode: 0o600)
        } catch {
            throw .unusable(path, error)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else { throw .unusable(path, FileError(number: number)) }
            throw .locked(path, processID: Self.processID(in: file))
        }
        ftruncate(descriptor, 0)
        do {
            try Files.writeAll(Array("\(getpid())\n".utf8), to: descriptor)
        } catch {
            close(descriptor)
            throw .unusable(path, error)
        }
        lock = descriptor
    }

    deinit { close(lock) }

    /// The path of a file in the folder.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Returns the process that holds the folder; nil when none does.
    package static func holder(of path: String) -> Int32? {
        let file = "\(path)/\(lockName)"
        guard let descriptor = try? Files.open(file, O_RDONLY | O_CLOEXEC, mode: 0) else {
            return nil
        }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
        return processID(in: file)
    }

    /// Makes a folder that only this user can enter; its parents must exist, but for one.
    static func makeFolder(_ path: String) throws(DataDirectoryError) {
        guard !path.isEmpty else { throw .unusable(path, .missing) }
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else {
                throw .unusable(path, FileError(number: errno))
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .unusable(path, FileError(number: ENOTDIR))
            }
            return
        }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .unusable(path, FileError(number: errno))
        }
        try makeFolder(String(path[..<slash]))
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .unusable(path, FileError(number: errno))
        }
    }

    private static let lockName = "lock"

    private static func processID(in file: String) -> Int32 {
        let bytes = (try? Files.read(file, limit: 64)) ?? []
        return Int32(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)) ?? 0
    }
}

/// Why a data directory cannot be used.
package enum DataDirectoryError: Error, Equatable, CustomStringConvertible {
    /// Another process has it; its number is 0 while it is still starting.
    case locked(String, processID: Int32)
    case unusable(String, FileError)

    package var description: String {
        switch self {
        case .locked(let path, let processID):
            "the data directory \(path) is in use by process \(processID); "
                + "stop it, or choose another with --data"
        case .unusable(let path, let error): "the data directory \(path) \(error)"
        }
    }
}
