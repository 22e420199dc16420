import Metering
import StreamBytes

/// Finished records in numbered order, in files that are only appended to, until they are released.
///
/// It gives each record its number and stores it before it says so. It reads back what it stored,
/// however the last run ended: records of earlier runs keep their numbers and come first. A file
/// goes when everything in it is released.
///
/// Every call blocks.
package struct SegmentLog: ~Copyable {
    /// The run that appends now.
    package let run: GatewayRun
    /// What was found when it was opened.
    package internal(set) var finding = SpoolFinding()

    let storage: any SegmentStorage
    private let settings: SegmentLogSettings
    /// The oldest first.
    ///
    /// The newest stays even when it is released: its header keeps the number of the run.
    var segments: [Segment] = []
    private(set) var released: [GatewayRun: Int64] = [:]
    private var marks = AgeMarks()
    /// The number that the last record of this run got; 0 before the first.
    package private(set) var lastSequence: Int64 = 0
    /// Whether the newest segment is this run's, and nothing went wrong with it.
    private var mayAppend = false

    /// Opens what an earlier run left, or a new log.
    ///
    /// - Parameters:
    ///   - storage: its files, and nobody else's.
    ///   - gateway: names this gateway for good; at most `GatewayRun.nameByteLimit` bytes.
    ///   - now: the wall clock; the number of the run is taken from it, or is one above the last one's
    ///     where the clock was set back.
    ///   - settings: sizes.
    ///   - visit: shown each record that waits, when given.
    /// - Throws: `StorageError` when the files cannot be read. That they cannot be written shows at the
    ///   first `append`.
    package init(
        in storage: any SegmentStorage,
        gateway: String,
        at now: WallTime,
        settings: SegmentLogSettings = SegmentLogSettings(),
        visit: ((UsageRecord) -> Void)? = nil
    ) throws(StorageError) {
        let contents = try SpoolContents(of: storage, visit: visit)
        self.storage = storage
        self.settings = settings
        segments = contents.segments
        finding = contents.finding
        released = contents.released
        let epoch = max(now.milliseconds, (contents.lastEpoch ?? -1) + 1)
        run = GatewayRun(gateway: gateway, epoch: epoch)
        for mark in contents.marks { marks.note(mark.run, from: mark.sequence, at: mark.at) }
        forgetReleased()
        finding.waitingCount = Int(clamping: waitingCount)
    }

    /// Numbers the records and stores them, all or none.
    ///
    /// - Parameters:
    ///   - records: in their order; what they say of run and number is replaced.
    ///   - now: the wall clock.
    /// - Returns: the number of the last one.
    /// - Throws: `SpoolError`; the log is then as before, and the same records may be tried again.
    @discardableResult
    package mutating func append(
        _ records: [UsageRecord],
        at now: WallTime
    ) throws(SpoolError) -> Int64 {
        guard !records.isEmpty else { return lastSequence }
        var bytes: [UInt8] = []
        for (place, record) in records.enumerated() {
            var numbered = record
            numbered.gateway = run.gateway
            numbered.epoch = run.epoch
            numbered.sequence = lastSequence + 1 + Int64(place)
            SpooledRecord.append(numbered, to: &bytes)
        }
        let needed = bytes.count + SegmentHeader.byteCount
        guard byteCount + needed <= settings.byteLimit else {
            throw .full(limit: settings.byteLimit)
        }
        do throws(StorageError) {
            try store(bytes)
        } catch {
            throw .storage(error)
        }
        marks.note(run, from: lastSequence + 1, at: now)
        let newest = segments.indices.last ?? 0
        segments[newest].byteCount += bytes.count
        segments[newest].note(run, lastSequence + 1)
        lastSequence += Int64(records.count)
        segments[newest].note(run, lastSequence)
        return lastSequence
    }

    private mutating func store(_ bytes: [UInt8]) throws(StorageError) {
        let isTooLong =
            (segments.last?.byteCount ?? 0) + bytes.count > settings.segmentByteLimit
            && !(segments.last?.spans.isEmpty ?? true)
        if !mayAppend || isTooLong { try beginSegment() }
        guard let newest = segments.last else { return }
        do throws(StorageError) {
            try storage.write(bytes, to: newest.number, at: newest.byteCount)
            try storage.sync(newest.number)
        } catch {
            // What a failed sync left behind is in no known state: the next try goes to a new file. What
            // a failed write left behind is written over.
            if error.operation == .sync { mayAppend = false }
            throw error
        }
    }

    private mutating func beginSegment() throws(StorageError) {
        let number = (segments.last?.number ?? 0) + 1
        let header = SegmentHeader(run: run, firstSequence: lastSequence + 1)
        try storage.create(number, holding: header.bytes)
        segments.append(Segment(number: number, byteCount: SegmentHeader.byteCount))
        mayAppend = true
        try dropReleased()
    }

    /// Forgets the records of a run up to a number: they are somebody else's now.
    ///
    /// - Throws: `StorageError` when a file cannot be removed; it is tried again at the next call.
    package mutating func release(
        _ run: GatewayRun,
        through sequence: Int64
    ) throws(StorageError) {
        guard let last = lastSequence(of: run) else { return }
        let through = min(sequence, last)
        guard through > released[run] ?? 0 else { return }
        released[run] = through
        try dropReleased()
        try storage.saveReleased(ReleasedForm.bytes(released))
    }

    private mutating func dropReleased() throws(StorageError) {
        let released = released
        while segments.count > 1, segments[0].waitingCount(released) == 0 {
            try storage.remove(segments[0].number)
            segments.removeFirst()
        }
        forgetReleased()
    }

    private mutating func forgetReleased() {
        for run in released.keys where run != self.run && lastSequence(of: run) == nil {
            self.released[run] = nil
        }
        let lasts = Dictionary(
            segments.flatMap(\.spans).map { ($0.run, $0.last) },
            uniquingKeysWith: max
        )
        let released = released
        marks.drop { run, through in
            (released[run] ?? 0) >= min(through, lasts[run] ?? 0)
        }
    }

    private func lastSequence(of run: GatewayRun) -> Int64? {
        segments.flatMap(\.spans).filter { $0.run == run }.map(\.last).max()
    }
}

// MARK: - What is in it

extension SegmentLog {
    /// Bytes of all files.
    package var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }

    package var byteLimit: Int { settings.byteLimit }

    /// Records that are not released.
    package var waitingCount: Int64 { segments.reduce(0) { $0 + $1.waitingCount(released) } }

    /// When the oldest record that waits was stored; nil when none waits.
    package var oldestAt: WallTime? { waitingCount == 0 ? nil : marks.oldest }

    /// Up to which number each run that has records here is released, the oldest run first.
    package var waitingRuns: [(run: GatewayRun, released: Int64)] {
        var runs: [(run: GatewayRun, released: Int64)] = []
        for span in segments.flatMap(\.spans)
        where span.waitingCount(after: released[span.run] ?? 0) > 0
            && !runs.contains(where: { $0.run == span.run })
        {
            runs.append((span.run, released[span.run] ?? 0))
        }
        return runs
    }
}

/// Sizes of a `SegmentLog`.
package struct SegmentLogSettings: Sendable {
    /// Of all files together.
    package var byteLimit = 1 << 30

    package init() {}

    /// A sixteenth of all, so that releasing frees room in steps that are worth it.
    var segmentByteLimit: Int { min(4 << 20, max(65_536, byteLimit / 16)) }
}

/// Why records cannot be stored now.
package enum SpoolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// They would pass the limit, in bytes.
    case full(limit: Int)
    case storage(StorageError)

    package var description: String {
        switch self {
        case .full(let limit): "the spool is full: it may hold \(limit) bytes"
        case .storage(let error): "\(error)"
        }
    }
}

/// What an opened spool held.
package struct SpoolFinding: Equatable, Sendable {
    package var waitingCount = 0
    /// Bytes at the end of a file that are no whole record; cut off, and kept in the quarantine.
    package var tornByteCount = 0
    /// Places with damage between whole records, newly put into the quarantine.
    package var damagedCount = 0
    /// Why something could not be cut off or kept; it is tried again at the next start.
    package var problem: StorageError?

    package init() {}
}
