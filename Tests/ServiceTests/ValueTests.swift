import Reactor
import Service
import Testing

/// The forms of single values.
struct ValueTests {
    @Test(arguments: [
        ("127.0.0.1:80", SocketAddress.v4(0x7F00_0001, port: 80), true),
        ("0.0.0.0:0", .v4(0, port: 0), false),
        ("[::1]:65535", .v6(0, 1, port: 65_535), true),
        ("[2001:db8::2]:1", .v6(0x2001_0DB8_0000_0000, 2, port: 1), false),
        ("localhost:8080", .v4(0x7F00_0001, port: 8_080), true),
        ("127.9.9.9:1", .v4(0x7F09_0909, port: 1), true),
    ])
    func `listening addresses`(text: String, address: SocketAddress, isLoopback: Bool) throws {
        let listen = try #require(ListenAddress(text))

        #expect(listen.socketAddress == address)
        #expect(listen.isLoopback == isLoopback)
        #expect(listen.description == text)
    }

    @Test(arguments: [
        "", ":80", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:80",
        "[127.0.0.1]:80", "example.org:80", "127.1:80", "[::1]", "1.2.3.4:", "[::1%lo]:1",
    ])
    func `what is no listening address`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test(arguments: [
        ("0", 0, "0B"), ("1", 1, "1B"), ("16KiB", 16_384, "16KiB"), ("64KB", 64_000, "64000B"),
        ("4MiB", 4_194_304, "4MiB"), ("1 GB", 1_000_000_000, "1000000000B"),
        ("2GiB", 2_147_483_648, "2GiB"),
    ])
    func `sizes`(text: String, bytes: Int, shown: String) throws {
        let size = try #require(ByteCount(text))

        #expect(size.bytes == bytes)
        #expect(size.description == shown)
        #expect(ByteCount(shown) == size)
    }

    @Test(arguments: ["", "KiB", "-1", "1.5KiB", "1kb", "9223372036854775807KiB", "1 ki", "0x10"])
    func `what is no size`(text: String) {
        #expect(ByteCount(text) == nil)
    }

    @Test(arguments: [
        ("https://H.example/v1", "https://h.example/v1"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://u:p@h", "redis://u:redacted@h"), ("redis://:p@h", "redis://:redacted@h"),
        ("unix:///run/r.sock", "unix:///run/r.sock"),
        ("postgresql://h/d?a=b", "postgresql://h/d?a=b"),
        ("postgresql://h/d?a=b&password=p=q&c=", "postgresql://h/d?a=b&password=redacted&c="),
        ("postgresql://h/d?sslPassword=p&", "postgresql://h/d?sslPassword=redacted&"),
        ("postgresql://h/d?pass%77ord=p", "postgresql://h/d?pass%77ord=redacted"),
        ("postgresql://h/d?%zz=p&password", "postgresql://h/d?%zz=redacted&password=redacted"),
    ])
    func `URLs show themselves without their passwords`(text: String, shown: String) throws {
        #expect(try #require(ServiceURL(text)).description == shown)
    }

    @Test(arguments: [
        "", "h", "http:/h", "http://h h", "http://h:0", "http://h:70000", "http://h:+1",
        "http://[x]/",
        "http://a:b:c", "http://h#f", "http://u%zz@h", "http://h\n",
    ])
    func `what is no URL`(text: String) {
        #expect(ServiceURL(text) == nil)
    }

    @Test(arguments: [
        ("1h30m", "1h30m"), ("90s", "1m30s"), ("1500ms", "1s500ms"), ("0", "0s"), ("0s", "0s"),
        ("24h", "1d"), ("36500d", nil), ("1m1h", nil), ("1s1s", nil), ("15", nil), ("s", nil),
        ("-1s", nil), ("1.5s", nil), ("9999999999999999999s", nil), ("1 s", nil), ("", nil),
    ])
    func `durations`(text: String, canonical: String?) {
        #expect(ConfigurationKeys.canonical(text, of: "stream.resumeWindow") == canonical)
    }
}
