import HTTPServer
import HTTPWire
import Testing

/// What every answer says to browsers.
struct SecurityFieldsTests {
    private func fields(
        _ fields: HeaderFields = [:],
        strictTransport: Duration = .zero,
        isSecure: Bool = false
    ) -> HeaderFields {
        let head = ResponseHead(status: 200, fields: fields)
        return SecurityFields(strictTransport: strictTransport)
            .completing(head, isSecure: isSecure).fields
    }

    @Test func `browsers are told to guess and to tell less`() {
        let fields = fields()
        #expect(fields.first("x-content-type-options") == "nosniff")
        #expect(fields.first("referrer-policy") == "no-referrer")
        #expect(fields.first("cross-origin-resource-policy") == "same-origin")
        #expect(fields.first("content-security-policy") == nil)
    }

    @Test func `only over TLS they are told to insist on it`() {
        let name = "strict-transport-security"
        let year = Duration.seconds(31_536_000)
        #expect(fields(strictTransport: year).first(name) == nil)
        #expect(fields(isSecure: true).first(name) == nil)
        let secure = fields(strictTransport: year, isSecure: true)
        #expect(secure.first(name) == "max-age=31536000")
    }

    @Test func `a page has a policy`() {
        let page = fields(["Content-Type": "text/html; charset=utf-8"])
        #expect(page.first("content-security-policy")?.contains("frame-ancestors 'none'") == true)
    }

    @Test func `what the handler says stays, once`() {
        let own = "default-src 'none'"
        let page = fields([
            "Content-Type": "text/html", "content-security-policy": own,
            "cross-origin-resource-policy": "cross-origin",
        ])
        #expect(page.values("content-security-policy") == [own])
        #expect(page.values("cross-origin-resource-policy") == ["cross-origin"])
    }

    @Test func `whole answers, streams and refusals carry them`() {
        let fixture = Fixture { $0.securityFields = SecurityFields() }

        fixture.socket.receive(Fixture.get("/now"))
        #expect(fixture.socket.sent.contains("X-Content-Type-Options: nosniff\r\n"))

        fixture.socket.receive("nonsense\r\n\r\n")
        #expect(fixture.socket.sent.ranges(of: "X-Content-Type-Options: nosniff\r\n").count == 2)
    }
}
