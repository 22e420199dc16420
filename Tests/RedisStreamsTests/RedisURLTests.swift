import RedisStreams
import Testing

struct RedisURLTests {
    @Test func `host, port, database and login are read`() throws {
        let url = try RedisURL(parsing: "redis://ada:s%40fe@example.org:7000/3")

        #expect(url.location == .host("example.org", port: 7_000))
        #expect(url.user == "ada")
        #expect(url.password == "s@fe")
        #expect(url.database == 3)
    }

    @Test func `what is left out has its usual value`() throws {
        let url = try RedisURL(parsing: "redis://127.0.0.1")

        #expect(url.location == .host("127.0.0.1", port: 6_379))
        #expect(url.user == nil)
        #expect(url.password == nil)
        #expect(url.database == 0)
    }

    @Test func `a password may stand alone and an address in brackets`() throws {
        let url = try RedisURL(parsing: "redis://:secret@[::1]:1234/")

        #expect(url.location == .host("::1", port: 1_234))
        #expect(url.user == nil)
        #expect(url.password == "secret")
    }

    @Test func `a path names a Unix socket`() throws {
        let url = try RedisURL(parsing: "unix://:pw@/run/my%20redis.sock?db=2")

        #expect(url.location == .unix(path: "/run/my redis.sock"))
        #expect(url.password == "pw")
        #expect(url.database == 2)
    }

    @Test func `an s after redis asks for encryption`() throws {
        let url = try RedisURL(parsing: "rediss://cache.example/1")

        #expect(url.location == .host("cache.example", port: 6_379))
        #expect(url.encryption == RedisEncryption())
        #expect(try RedisURL(parsing: "redis://cache.example/1").encryption == nil)
    }

    @Test(arguments: [
        ("localhost", RedisURLError.notAURL),
        ("http://x", .unknownScheme("http")),
        ("rediss://", .noHost),
        ("redis://", .noHost),
        ("redis://x:0", .badPort),
        ("redis://x:65536", .badPort),
        ("redis://x:", .badPort),
        ("redis://x/a", .badDatabase),
        ("redis://x/-1", .badDatabase),
        ("redis://user@x", .badCredentials),
        ("redis://%zz", .badEncoding),
        ("redis://x?timeout=1", .unknownOption),
        ("unix://relative", .noHost),
        ("unix:///x?a=1", .unknownOption),
        ("unix:///" + String(repeating: "x", count: 107), .pathTooLong),
    ])
    func `mistakes are named`(text: String, error: RedisURLError) {
        #expect(throws: error) { try RedisURL(parsing: text) }
    }
}
