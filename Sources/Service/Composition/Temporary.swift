// Stand-ins for parts that are on their way: who lands the real type deletes its stand-in here.
import Glibc
import Providers
import Reactor
import StreamBytes
import Telemetry

enum ProcessSignal { case stop, reload }
final class SignalListener: Sendable {
    init(_ body: @escaping @Sendable (ProcessSignal) -> Void) throws {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGHUP)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        Task.detached {
            while true {
                var got: Int32 = 0
                unsafe sigwait(&set, &got)
                body(got == SIGHUP ? .reload : .stop)
            }
        }
    }
    func stop() {}
}
enum DescriptorLimit { static func raise() -> Int { 20_000 } }
struct Resolver: AddressResolver {
    init() throws {}
    func addresses(
        of host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    ) { completion([.v4(0x7F00_0001, port: port)]) }
    func stop() {}
}
