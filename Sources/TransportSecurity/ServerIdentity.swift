/// The certificates of a server, which of them is shown for which name, and the keys of its
/// tickets.
struct ServerIdentity: Sendable {
    /// In the order in which they were given.
    let certificates: [CertifiedKey]
    /// Certificates for the same names, with different kinds of key; the first group is shown when
    /// no name fits.
    let groups: [[CertifiedKey]]
    /// Leads to a group.
    let names: HostNameTable
    let tickets: TicketKeys

    /// - Throws: `repeated` or `nameless`, if a certificate would never be shown.
    init(
        _ certificates: [CertifiedKey],
        _ tickets: TicketKeys
    ) throws(SecurityContextError) {
        precondition(!certificates.isEmpty, "a server has a certificate")
        self.certificates = certificates
        self.tickets = tickets
        groups = try Self.grouped(certificates)
        var names = HostNameTable()
        for (place, group) in groups.enumerated() {
            for name in group[0].summary.names { names.insert(name, place: place) }
        }
        self.names = names
    }

    private static func grouped(
        _ certificates: [CertifiedKey]
    ) throws(SecurityContextError) -> [[CertifiedKey]] {
        var groups: [[CertifiedKey]] = []
        for certificate in certificates {
            let summary = certificate.summary
            let names = Set(summary.names)
            guard let place = groups.firstIndex(where: { Set($0[0].summary.names) == names }) else {
                guard groups.isEmpty || !names.isEmpty else {
                    throw .nameless(certificateFile: summary.file)
                }
                groups.append([certificate])
                continue
            }
            if let first = groups[place].first(where: { $0.summary.keyKind == summary.keyKind }) {
                throw .repeated(certificateFile: summary.file, first: first.summary.file)
            }
            groups[place].append(certificate)
        }
        return groups
    }
}
