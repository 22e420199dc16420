/// Where a certificate and its key stand.
package struct KeyPairFiles: Hashable, Sendable {
    /// The certificate and its chain, the server's own first, PEM.
    package let certificateFile: String
    /// The key, PEM, without a password.
    package let keyFile: String

    package init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}
