import Foundation
import Service
import TestSupport
import Testing

struct DataDirectoryTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func `it is made for its owner alone, with its parents`() throws {
        let directory = try DataDirectory(scratch.path("a/b"))

        #expect(try permissions(scratch.path("a/b")) == 0o700)
        #expect(directory.file("x") == scratch.path("a/b") + "/x")
    }

    @Test func `a second holder is refused by folder and process`() throws {
        let first = try DataDirectory(scratch.path)

        do {
            _ = try DataDirectory(scratch.path)
            Issue.record("it was locked twice")
        } catch {
            #expect(error == .locked(scratch.path, processID: getpid()))
            #expect("\(error)".contains(scratch.path) && "\(error)".contains("\(getpid())"))
        }
        #expect(DataDirectory.holder(of: scratch.path) == getpid())
        _ = consume first
        #expect(DataDirectory.holder(of: scratch.path) == nil)
        _ = try DataDirectory(scratch.path)
    }

    @Test func `the end of the process gives it back`() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.path as String] in
            let directory = try DataDirectory(path)
            #expect(directory.path == path)
            kill(getpid(), SIGKILL)
        }

        _ = try DataDirectory(scratch.path)
    }

    @Test func `a file in its place is refused`() throws {
        let path = try scratch.write("file", "x")

        #expect(throws: DataDirectoryError.self) { _ = try DataDirectory(path) }
        #expect(throws: DataDirectoryError.self) { _ = try DataDirectory("\(path)/below") }
        #expect(throws: DataDirectoryError.self) { _ = try DataDirectory("") }
    }

    @Test func `a file is replaced whole, with its mode, and leaves nothing behind`() throws {
        let path = try scratch.write("file", "old")

        try Files.replace(path, with: Array("new".utf8), mode: 0o600)

        #expect(try Files.read(path, limit: 3) == Array("new".utf8))
        #expect(throws: FileError.tooLong(limit: 2)) { try Files.read(path, limit: 2) }
        #expect(try permissions(path) == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["file"])
        #expect(throws: FileError.missing) {
            try Files.replace(scratch.path("none/file"), with: [], mode: 0o600)
        }
    }
}
