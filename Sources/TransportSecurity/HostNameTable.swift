/// Which of several certificates a host name asks for.
///
/// Source: RFC 6125, section 6.4: letters of either case are the same, and a name that starts with
/// `*.` stands for all that differ from it in that label alone.
package struct HostNameTable: Sendable {
    private var places: [String: Int] = [:]

    package init() {}

    /// Whoever has a name first keeps it.
    package mutating func insert(_ name: String, place: Int) {
        if places[name] == nil { places[name] = place }
    }

    package func place(of name: String) -> Int? {
        let name = name.lowercased()
        if let place = places[name] { return place }
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")), dot > name.startIndex else {
            return nil
        }
        return places["*" + name[dot...]]
    }
}
