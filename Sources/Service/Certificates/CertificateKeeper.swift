import Reactor
import StreamBytes
import Telemetry
import TransportSecurity

/// The certificates of the public listeners: read at start, read again when asked to or when their
/// files change, and the keys of their session tickets renewed.
///
/// Connections that are open keep what they were shown. What cannot be used changes nothing.
package actor CertificateKeeper {
    /// How often the files are looked at; a change counts once it is seen twice, so that a pair is
    /// not read while it is written.
    private static let interval = Duration.milliseconds(400)
    /// How long tickets are sealed with one key.
    private static let ticketKeyLife = Duration.seconds(3_600)
    private static let warningDays = 14

    private nonisolated let thread: BlockingThread
    private nonisolated let log: any LogSink
    private nonisolated let inUse: Guarded<ServerSecurity?>
    private nonisolated let refusals = Guarded(0)
    private var source: CertificateSource
    /// What the files were like when they were last read, and when they were last looked at.
    private var readStamps: [FileStamp?]
    private var seenStamps: [FileStamp?]
    private var ticketKeysEndAt: WallTime
    private var warnedDay: Int64 = .min

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Reads the certificates.
    ///
    /// - Parameters:
    ///   - source: where they are.
    ///   - now: they must be valid then.
    ///   - log: told of what is refused later, and of certificates that expire soon.
    /// - Throws: what cannot be used.
    package init(_ source: CertificateSource, at now: WallTime, log: any LogSink) throws {
        try source.renewIfDue(at: now)
        let stamps = source.stamps
        inUse = Guarded(try source.read(at: now))
        thread = try BlockingThread(name: "certificates")
        self.log = log
        self.source = source
        readStamps = stamps
        seenStamps = stamps
        ticketKeysEndAt = now.adding(Self.ticketKeyLife)
    }

    /// What connections are shown that are accepted now; nil: they are plain.
    ///
    /// Call from any thread.
    package nonisolated var security: ServerSecurity? { inUse.withLock { $0 } }

    /// Certificates that can be used, as they were read.
    package struct Fresh: Sendable {
        fileprivate let source: CertificateSource
        fileprivate let stamps: [FileStamp?]
        fileprivate let security: ServerSecurity?
    }

    /// Reads certificates, from the same place or from another; those in use stay.
    ///
    /// - Throws: what cannot be used.
    package func read(from source: CertificateSource, at now: WallTime) throws -> Fresh {
        do {
            try source.renewIfDue(at: now)
            let stamps = source.stamps
            return Fresh(source: source, stamps: stamps, security: try source.read(at: now))
        } catch {
            refusals.withLock { $0 += 1 }
            throw error
        }
    }

    /// Uses what was read.
    package func use(_ fresh: Fresh, at now: WallTime) {
        let isSame = fresh.source == source && fresh.stamps == readStamps
        source = fresh.source
        readStamps = fresh.stamps
        seenStamps = fresh.stamps
        let certificates = fresh.security?.certificates
        // The same files again: clients may still come back with their tickets.
        if isSame, inUse.withLock({ $0?.certificates == certificates }) { return }
        use(fresh.security, at: now)
    }

    /// Looks at the files again and again, until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            look(at: .now)
        }
    }

    /// Call from another thread, when `run` has ended.
    package nonisolated func stop() { thread.stop() }

    /// Does what is due: reads changed files, renews keys and the certificate of its own, warns.
    package func look(at now: WallTime) {
        do {
            try source.renewIfDue(at: now)
            let stamps = source.stamps
            defer { seenStamps = stamps }
            if stamps != readStamps, stamps == seenStamps {
                readStamps = stamps
                use(try source.read(at: now), at: now)
                log.write(LogLine(.info, "certificates_read"))
            } else if now >= ticketKeysEndAt {
                use(try security?.renewingTicketKeys(), at: now)
            }
        } catch {
            refusals.withLock { $0 += 1 }
            log.write(LogLine(.error, "certificates_refused").with("reason", "\(error)"))
        }
        warnOfExpiry(at: now)
    }

    private func use(_ fresh: ServerSecurity?, at now: WallTime) {
        inUse.withLock { $0 = fresh }
        ticketKeysEndAt = now.adding(Self.ticketKeyLife)
    }

    /// Once a day.
    private func warnOfExpiry(at now: WallTime) {
        let today = now.milliseconds / 86_400_000
        guard today != warnedDay else { return }
        warnedDay = today
        for certificate in security?.certificates ?? [] {
            let days = certificate.daysLeft(at: now)
            guard days < Double(Self.warningDays) else { continue }
            log.write(
                LogLine(.warning, "certificate_expires_soon").with("file", certificate.file)
                    .with("days", Int64(days.rounded(.down)))
            )
        }
    }

    package nonisolated func writeMetrics(to text: inout PrometheusText, at now: WallTime) {
        for certificate in security?.certificates ?? [] {
            text.gauge(
                "weir_certificate_days_left",
                help: "Days until a certificate of the public listeners expires.",
                labels: ["file": certificate.file],
                value: certificate.daysLeft(at: now)
            )
        }
        text.counter(
            "weir_certificate_refusals_total",
            help: "Changed certificates that could not be used, so that the old ones stayed.",
            value: refusals.withLock { $0 }
        )
    }
}

extension CertificateSummary {
    fileprivate func daysLeft(at now: WallTime) -> Double {
        Double(validUntil.milliseconds - now.milliseconds) / 86_400_000
    }
}

extension WallTime {
    func adding(_ duration: Duration) -> WallTime {
        WallTime(milliseconds: milliseconds + duration.wholeMilliseconds)
    }
}
