import Glibc
import Reactor

/// Why a file cannot be used; reads as the rest of a sentence that starts with the file.
package enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing
    case notPermitted
    case tooLong(limit: Int)
    /// Any other error number.
    case system(Int32)

    init(number: Int32) {
        self =
            switch number {
            case ENOENT, ENOTDIR: .missing
            case EACCES, EPERM: .notPermitted
            default: .system(number)
            }
    }

    package var description: String {
        switch self {
        case .missing: "does not exist"
        case .notPermitted: "may not be read or written by this user"
        case .tooLong(let limit): "is longer than \(limit) bytes"
        case .system(let number): "cannot be used: \(SystemError.text(number))"
        }
    }
}

/// Whole files, read and written at once.
///
/// Blocks: never call it on a reactor.
package enum Files {
    /// Returns a file's bytes.
    package static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let descriptor = try open(path, O_RDONLY | O_CLOEXEC, mode: 0)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError(number: errno) }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit else { throw .tooLong(limit: limit) }
        }
    }

    /// Puts a file in place whole or not at all: after a crash it holds the old bytes or the new.
    ///
    /// - Parameters:
    ///   - path: its folder must exist.
    ///   - bytes: the file's new contents.
    ///   - mode: the new file's permissions.
    /// - Throws: `FileError`; the old file is then unchanged.
    package static func replace(
        _ path: String,
        with bytes: [UInt8],
        mode: mode_t
    ) throws(FileError) {
        let temporary = "\(path).\(getpid()).new"
        unsafe unlink(temporary)
        let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode: mode)
        do throws(FileError) {
            defer { close(descriptor) }
            try writeAll(bytes, to: descriptor)
            guard fsync(descriptor) == 0 else { throw FileError(number: errno) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        guard unsafe rename(temporary, path) == 0 else {
            let number = errno
            unsafe unlink(temporary)
            throw FileError(number: number)
        }
        try syncFolder(of: path)
    }

    /// Writes everything to a descriptor that blocks.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError(number: errno) }
            rest = rest.dropFirst(count)
        }
    }

    static func open(
        _ path: String,
        _ flags: Int32,
        mode: mode_t
    ) throws(FileError) -> Int32 {
        let descriptor = unsafe Glibc.open(path, flags, mode)
        guard descriptor >= 0 else { throw FileError(number: errno) }
        return descriptor
    }

    /// The new name itself is durable only when its folder is.
    private static func syncFolder(of path: String) throws(FileError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = try open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, mode: 0)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(number: errno) }
    }
}
