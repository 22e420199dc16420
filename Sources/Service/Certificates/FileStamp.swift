import Glibc

/// What tells that a file was replaced or written to, without reading it.
struct FileStamp: Equatable, Sendable {
    private let inode: UInt64
    private let byteCount: Int64
    private let changedAtSeconds: Int64
    private let changedAtNanoseconds: Int64

    /// Nil where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        inode = UInt64(status.st_ino)
        byteCount = Int64(status.st_size)
        changedAtSeconds = Int64(status.st_ctim.tv_sec)
        changedAtNanoseconds = Int64(status.st_ctim.tv_nsec)
    }
}
