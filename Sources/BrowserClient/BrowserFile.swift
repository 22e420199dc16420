/// A file that the gateway serves to browsers: its client as a module, and a page that uses it.
package struct BrowserFile: Sendable {
    /// Where it is served.
    package let path: String
    /// Its media type.
    package let type: String
    package let bytes: [UInt8]

    private init(_ path: String, _ type: String, _ bytes: [UInt8]) {
        self.path = path
        self.type = type
        self.bytes = bytes
    }

    package static let all = [
        BrowserFile("/", "text/html; charset=utf-8", PackageResources.page_html),
        BrowserFile("/page.css", "text/css; charset=utf-8", PackageResources.page_css),
        BrowserFile("/page.js", script, PackageResources.page_js),
        BrowserFile("/weir.js", script, PackageResources.weir_js),
    ]

    private static let script = "text/javascript; charset=utf-8"

    /// Returns the file that is served at `path`; nil if there is none.
    package static func at(_ path: String) -> BrowserFile? { all.first { $0.path == path } }
}
