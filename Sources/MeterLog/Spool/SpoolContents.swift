import Metering
import StreamBytes

/// What stands in the files of a spool that is opened.
///
/// Everything is read and checked once. Bytes that are no records go into the quarantine; where that
/// cannot be written they stay where they are, and are never taken for records.
struct SpoolContents {
    private(set) var segments: [Segment] = []
    private(set) var finding = SpoolFinding()
    private(set) var released: [GatewayRun: Int64] = [:]
    private(set) var lastEpoch: Int64?
    /// The first record of each segment and run.
    private(set) var marks: [(run: GatewayRun, sequence: Int64, at: WallTime)] = []

    init(
        of storage: any SegmentStorage,
        visit: ((UsageRecord) -> Void)?
    ) throws(StorageError) {
        let files = try storage.segments()
        for (place, file) in files.enumerated() {
            let bytes = try storage.read(file.number, from: 0, limit: file.byteCount)
            let isNewest = place == files.count - 1
            try read(bytes, of: file.number, isNewest: isNewest, storage, visit)
        }
        // A run that has nothing here any more needs no number.
        let runs = Set(segments.flatMap(\.spans).map(\.run))
        released = ReleasedForm.read(try storage.released()).filter { runs.contains($0.key) }
    }

    private mutating func read(
        _ bytes: [UInt8],
        of number: Int64,
        isNewest: Bool,
        _ storage: any SegmentStorage,
        _ visit: ((UsageRecord) -> Void)?
    ) throws(StorageError) {
        let header = SegmentHeader(bytes)
        if let header { lastEpoch = max(lastEpoch ?? .min, header.run.epoch) }
        var segment = Segment(
            number: number,
            byteCount: header == nil ? 0 : SegmentHeader.byteCount
        )
        var scanner = FrameScanner(bytes, from: segment.byteCount)
        while let piece = scanner.next() {
            switch piece {
            case .record(let payload):
                if note(bytes, payload, header, in: &segment, visit) {
                    segment.byteCount = payload.upperBound
                } else {
                    keepAside(bytes, payload, of: number, isTorn: false, storage)
                }
            case .damaged(let range):
                let isTorn = range.upperBound == bytes.count
                keepAside(bytes, range, of: number, isTorn: isTorn, storage)
            }
        }
        // Else its making was cut short.
        let isSegment = header != nil || !segment.spans.isEmpty
        if isSegment { segments.append(segment) }
        guard segment.byteCount < bytes.count, isNewest, finding.problem == nil else { return }
        do throws(StorageError) {
            if isSegment {
                try storage.truncate(number, to: segment.byteCount)
            } else {
                try storage.remove(number)
            }
        } catch {
            finding.problem = error
        }
    }

    /// - Returns: false when the payload is no record.
    private mutating func note(
        _ bytes: [UInt8],
        _ payload: Range<Int>,
        _ header: SegmentHeader?,
        in segment: inout Segment,
        _ visit: ((UsageRecord) -> Void)?
    ) -> Bool {
        guard let (epoch, sequence) = SpooledRecord.numbers(bytes, payload) else { return false }
        if visit == nil, let last = segment.spans.last, last.run.epoch == epoch {
            segment.note(last.run, sequence)
            return true
        }
        guard let record = SpooledRecord.read(bytes, payload) else { return false }
        let run = GatewayRun(gateway: record.gateway, epoch: epoch)
        if segment.spans.last?.run != run {
            let at = WallTime(milliseconds: record.endedAtMilliseconds)
            marks.append((run, sequence, at))
            lastEpoch = max(lastEpoch ?? .min, epoch)
        }
        segment.note(run, sequence)
        visit?(record)
        return true
    }

    private mutating func keepAside(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        of number: Int64,
        isTorn: Bool,
        _ storage: any SegmentStorage
    ) {
        if isTorn { finding.tornByteCount += range.count }
        // A file system may lengthen a file before it has its bytes.
        guard bytes[range].contains(where: { $0 != 0 }) else { return }
        do throws(StorageError) {
            let part = Array(bytes[range])
            let isNew = try storage.keepAside(part, of: number, at: range.lowerBound)
            if isNew, !isTorn { finding.damagedCount += 1 }
        } catch {
            finding.problem = error
        }
    }
}

/// Goes through the frames of a segment's bytes, and what lies between them.
struct FrameScanner {
    private let bytes: [UInt8]
    private(set) var offset: Int

    init(_ bytes: [UInt8], from offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    enum Piece {
        case record(payload: Range<Int>)
        case damaged(Range<Int>)
    }

    /// The next piece; nil at the end.
    mutating func next() -> Piece? {
        guard offset < bytes.count else { return nil }
        let start = offset
        if case .whole(let payload) = Frame.read(bytes, at: start) {
            offset = payload.upperBound
            return .record(payload: payload)
        }
        offset = Frame.firstWhole(in: bytes, from: start + 1) ?? bytes.count
        return .damaged(start..<offset)
    }
}
