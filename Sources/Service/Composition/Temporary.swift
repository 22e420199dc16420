// Stand-ins for parts that are on their way: who lands the real type deletes its stand-in here.
import Glibc
import Providers
import Reactor
import StreamBytes
import Telemetry

struct LogWriter: LogSink {
    static func standard() throws -> LogWriter { LogWriter() }
    func write(_ line: LogLine) {
        var text = "\(line.level) \(line.event)"
        for field in line.fields { text += " \(field.name)=\(field.value)" }
        text += "\n"
        _ = unsafe text.withCString { unsafe Glibc.write(2, $0, strlen($0)) }
    }
    func close() {}
}
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
final class PrivateRedis: Sendable {
    let socketPath: String
    init(directory: String, log: any LogSink) { socketPath = "\(directory)/redis.sock" }
    func start() async throws -> String { socketPath }
    func stop() async {}
}
