import BrowserClient
import Cryptography
import HTTPServer
import HTTPWire

extension GatewayHandler {
    /// Answers with a file, or tells a browser that has it that it did not change.
    func send(_ file: BrowserFile, for visit: Visit) {
        guard let tag = Self.tags[file.path] else {
            preconditionFailure("every file has its tag")
        }
        var response = visit.answer.text(file.bytes, type: file.type)
        let isKnown = visit.head.fields.values("if-none-match").contains { $0.contains(tag) }
        if isKnown { response = visit.answer.empty(304) }
        response.head.fields.replace("Cache-Control", "public, max-age=300")
        response.head.fields.append("ETag", tag)
        response.head.fields.append("Content-Security-Policy", Self.policy)
        visit.send(response)
    }

    /// By path; weak, because a content coding changes the bytes.
    private static let tags = Dictionary(
        uniqueKeysWithValues: BrowserFile.all.map { file in
            (file.path, "W/\"\(SHA256Digest(of: file.bytes).hexadecimal.prefix(32))\"")
        }
    )

    /// The page runs nothing but its own files, whatever a provider's text holds.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'"
}
