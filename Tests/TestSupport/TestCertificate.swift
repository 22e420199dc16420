/// A certificate that is its own authority, made by the `openssl` command; its files go away with it.
package final class TestCertificate: Sendable {
    package let file: String
    package let keyFile: String
    private let folder: ScratchFolder

    /// - Parameter names: such as `DNS:good.example` and `IP:127.0.0.1`.
    /// - Throws: `Failure` with what the command says.
    package convenience init(_ names: String...) throws { try self.init(names) }

    /// As `init(_:)` with the names one by one.
    package init(_ names: [String]) throws {
        folder = try ScratchFolder()
        file = folder.path("certificate.pem")
        keyFile = folder.path("key.pem")
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=test", "-keyout", keyFile, "-out", file,
            "-addext", "subjectAltName=" + names.joined(separator: ","),
        ]
        let run = try ProgramRun("openssl", arguments)
        guard run.status == 0 else { throw Failure(text: run.errors) }
    }

    package struct Failure: Error { let text: String }
}
