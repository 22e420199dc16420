import CLinux
import Glibc

/// Descriptors that listen on one address: several share its port, for one reactor each.
struct ListeningSockets {
    private static let backlog: Int32 = 4_096

    let address: SocketAddress
    private(set) var descriptors: [Int32] = []

    /// Opens them all, or none.
    ///
    /// The first is bound before it may share the port, so that another process that listens there
    /// is noticed; the kernel looks at the flag again when the next one is bound.
    init(on address: SocketAddress, copies: Int, sharePort: Bool) throws(ListenError) {
        let limit = Int(CLinux_path_limit())
        if let path = address.path, path.utf8.count > limit {
            throw .pathTooLong(path, limit: limit)
        }
        var opened: [Int32] = []
        do throws(SocketError) {
            let first = try Self.open(address, sharePort: sharePort)
            opened.append(first)
            self.address = address.isLocal ? address : Descriptor.localAddress(first) ?? address
            if copies > 1 { CLinux_set_reuse_port(first) }
            for _ in 1..<max(1, copies) {
                opened.append(try Self.open(self.address, sharePort: true))
            }
            for descriptor in opened { try Self.check(CLinux_listen(descriptor, Self.backlog)) }
        } catch {
            for descriptor in opened { CLinux_close(descriptor) }
            throw .failed(address, error)
        }
        descriptors = opened
    }

    private static func open(
        _ address: SocketAddress,
        sharePort: Bool
    ) throws(SocketError) -> Int32 {
        let descriptor = try Descriptor.open(address)
        do throws(SocketError) {
            if !address.isLocal { try check(CLinux_set_reuse_address(descriptor)) }
            if sharePort, !address.isLocal { try check(CLinux_set_reuse_port(descriptor)) }
            let outcome = bind(descriptor, to: address)
            if outcome == -EADDRINUSE, removeStalePath(of: address) {
                try check(bind(descriptor, to: address))
            } else {
                try check(outcome)
            }
            return descriptor
        } catch {
            CLinux_close(descriptor)
            throw error
        }
    }

    private static func bind(_ descriptor: Int32, to address: SocketAddress) -> Int32 {
        unsafe CLinux_bind(descriptor, CLinux_address(address), address.path)
    }

    /// A path whose process was killed stays behind and refuses connections.
    private static func removeStalePath(of address: SocketAddress) -> Bool {
        guard let path = address.path else { return false }
        do throws(SocketError) {
            CLinux_close(try Descriptor.connecting(to: address))
            return false
        } catch {
            guard error == .refused else { return false }
            return unsafe CLinux_remove_socket(path) == 0
        }
    }

    private static func check(_ outcome: Int32) throws(SocketError) {
        guard outcome >= 0 else { throw SocketError(errorNumber: -outcome) }
    }
}
