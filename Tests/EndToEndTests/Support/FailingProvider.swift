import TestSupport

/// The providers of `providers.py`: one way of failing below each path.
struct FailingProvider: Sendable {
    private let program: RunningProgram
    /// Such as `http://127.0.0.1:40123`.
    let url: String
    /// The same over TLS, with a certificate that nobody has signed but itself.
    let secureURL: String

    /// Starts them.
    ///
    /// - Parameter scratch: takes the certificate.
    /// - Returns: the providers, listening.
    /// - Throws: when a program cannot be started.
    static func start(_ scratch: ScratchFolder) async throws -> Self {
        let (certificate, key) = (scratch.path("certificate.pem"), scratch.path("key.pem"))
        try await output(
            of: "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=somebody.example", "-keyout", key, "-out", certificate,
            ]
        )
        let program = try RunningProgram(
            "python3",
            [Place.client("providers.py"), certificate, key]
        )
        let addresses = try await eventually("the failing providers; \(program.errors)") {
            let lines = program.output.split(separator: "\n").map(String.init)
            return lines.count == 2 ? lines : nil
        }
        return Self(
            program: program,
            url: "http://\(addresses[0])",
            secureURL: "https://\(addresses[1])"
        )
    }
}
