import FoundationEssentials
import Glibc
import Reactor
import Replay
import ReplayProvider
import TransportSecurity

/// Runs the program until it is told to end, and ends the process with its status.
func runReplayCommand(_ arguments: [String]) -> Never {
    if arguments.contains("--help") || arguments.contains("-h") {
        print(ReplayOptions.usage)
        exit(0)
    }
    do throws(UsageError) {
        try serve(try ReplayOptions(parsing: arguments))
        exit(0)
    } catch {
        fail(error.text + "\n\n" + ReplayOptions.usage, status: 2)
    }
}

private func serve(_ options: ReplayOptions) throws(UsageError) {
    var settings = ReplaySettings()
    settings.catalogue = try catalogue(options)
    let security = try security(options)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    raiseDescriptorLimit()
    do {
        let group = try ReactorGroup(count: options.reactorCount)
        try group.start()
        let server = try ReplayServer(
            on: options.address,
            of: group,
            settings: settings,
            security: security
        )
        let scheme = security == nil ? "http" : "https"
        print("weir-replay: listening on \(scheme)://\(server.address)")
        // Nil: every stream.
        fflush(nil)
        var number: Int32 = 0
        unsafe sigwait(&signals, &number)
        group.stopListening()
        server.abort()
        group.stop(within: .seconds(2))
    } catch {
        fail("\(error)", status: 1)
    }
}

private func security(_ options: ReplayOptions) throws(UsageError) -> ServerSecurity? {
    guard let (certificate, key) = options.certificate else { return nil }
    do throws(SecurityContextError) {
        return try ServerSecurity(certificateFile: certificate, keyFile: key)
    } catch {
        throw UsageError(error.description)
    }
}

private func catalogue(_ options: ReplayOptions) throws(UsageError) -> ReplayCatalogue {
    var catalogue = ReplayCatalogue()
    if let path = options.bodyFile {
        catalogue.standard = options.plan(try body(path, name: path))
    } else if let folder = options.folder {
        for path in try files(in: folder) {
            let name = path.split(separator: ".").dropLast().joined(separator: ".")
            catalogue.plans[name] = options.plan(try body("\(folder)/\(path)", name: name))
        }
        guard !catalogue.plans.isEmpty else { throw UsageError("\(folder) has no bodies") }
    } else {
        for body in EmbeddedBodies.all { catalogue.plans[body.name] = options.plan(body) }
    }
    return catalogue
}

private func body(_ path: String, name: String) throws(UsageError) -> RecordedBody {
    guard let data = FileManager.default.contents(atPath: path) else {
        throw UsageError("cannot read \(path)")
    }
    return RecordedBody(name: name, bytes: [UInt8](data))
}

/// The recorded bodies of a folder, below it, too; other files are passed over.
private func files(in folder: String) throws(UsageError) -> [String] {
    guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder) else {
        throw UsageError("cannot read \(folder)")
    }
    return paths.filter { $0.hasSuffix(".sse") || $0.hasSuffix(".ndjson") }.sorted()
}

private func raiseDescriptorLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(resource, &limit)
}

private func fail(_ text: String, status: Int32) -> Never {
    var rest = Array("weir-replay: \(text)\n".utf8)[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes {
            unsafe write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
    }
    exit(status)
}
