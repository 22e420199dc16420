import BenchmarkSuite
import Glibc
import TransportSecurity

/// Prints how running streams fare while thousands of clients come back by TLS.
enum StormTable {
    /// - Throws: what the system refuses.
    static func run() async throws {
        let folder = "/tmp/weir-bench-\(getpid())"
        guard unsafe mkdir(folder, 0o700) == 0 else { throw StormError.noFolder(folder) }
        defer { remove(folder) }
        let files = try certificate(in: folder)
        print("| steps per turn | handshakes a second | delay of an event, ms: p50 | p99 | most |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for _ in 0..<3 {
            for limit in [1, 8, 64, 100_000] {
                var storm = ReconnectStorm()
                storm.handshakesPerTurn = limit
                let result = try await storm.run(files)
                let seconds =
                    Double(result.duration.components.attoseconds) / 1e18
                    + Double(result.duration.components.seconds)
                let rate = Int(Double(result.handshakeCount) / seconds)
                let delays = [500, 990, 1_000].map { milliseconds(result.delay(permille: $0)) }
                print("| \(limit) | \(rate) | \(delays.joined(separator: " | ")) |")
            }
        }
    }

    private static func certificate(in folder: String) throws -> KeyPairFiles {
        let files = KeyPairFiles(
            certificateFile: "\(folder)/certificate.pem",
            keyFile: "\(folder)/key.pem"
        )
        let now = Int64(time(nil)) * 1_000
        let made = try SelfSignedCertificate(
            for: ["DNS:localhost"],
            validFrom: .init(milliseconds: now - 3_600_000),
            validUntil: .init(milliseconds: now + 3_600_000)
        )
        try write(made.certificate, to: files.certificateFile)
        try write(made.key, to: files.keyFile)
        return files
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw StormError.noFile(path) }
        unsafe fputs(text, file)
        unsafe fclose(file)
    }

    private static func remove(_ folder: String) {
        for name in ["certificate.pem", "key.pem"] { unsafe unlink("\(folder)/\(name)") }
        unsafe rmdir(folder)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.components.attoseconds / 1_000_000_000_000
        let whole = duration.components.seconds * 1_000 + microseconds / 1_000
        let rest = String(microseconds % 1_000)
        return "\(whole)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

enum StormError: Error {
    case noFolder(String)
    case noFile(String)
}
