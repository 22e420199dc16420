import Metering

/// A record as the spool and the slots hold it: fields in any order, each a byte with its tag and
/// whether it is a text, then a number in as few bytes as it needs, or a length and the text.
///
/// A field that is as in the record it is told apart from is left out. A tag never gets another
/// meaning; a field with a tag that is not known is skipped.
enum RecordForm {
    /// Appends the fields of `record` that differ from those of `base`.
    static func append(
        _ record: UsageRecord,
        differingFrom base: UsageRecord = UsageRecord(),
        to bytes: inout [UInt8]
    ) {
        for (tag, field) in fields {
            switch field {
            case .number(let path):
                let value = record[keyPath: path]
                if value != base[keyPath: path] { bytes.append(number: value, tag) }
            case .optional(let path):
                let value = record[keyPath: path]
                if let value, value != base[keyPath: path] { bytes.append(number: value, tag) }
            case .flag(let path):
                let value = record[keyPath: path]
                if value != base[keyPath: path] { bytes.append(number: value ? 1 : 0, tag) }
            case .text(let path):
                let value = record[keyPath: path]
                if value != base[keyPath: path] { bytes.append(text: value, tag) }
            case .end:
                if record.end != base.end { bytes.append(text: record.end.rawValue, tag) }
            }
        }
    }

    /// Sets the fields that stand in a part of `bytes`.
    ///
    /// - Returns: false when the bytes have another form; the record is then of no use.
    static func read(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        into record: inout UsageRecord
    ) -> Bool {
        var reader = BinaryReader(bytes, range)
        while !reader.isAtEnd {
            guard let key = reader.byte(), let number = reader.varying() else { return false }
            let isText = key & 1 == 1
            let text = isText ? reader.text(byteCount: number) : nil
            guard !isText || text != nil else { return false }
            switch (fieldOfTag[key >> 1], text) {
            case (.number(let path), nil): record[keyPath: path] = number
            case (.optional(let path), nil): record[keyPath: path] = number
            case (.flag(let path), nil): record[keyPath: path] = number != 0
            case (.text(let path), let text?): record[keyPath: path] = text
            case (.end, let text?):
                guard let end = StretchEnd(rawValue: text) else { return false }
                record.end = end
            case (nil, _): break
            default: return false
            }
        }
        return true
    }

    private typealias Path<Value> = WritableKeyPath<UsageRecord, Value> & Sendable

    private enum Field: Sendable {
        case number(Path<Int64>)
        /// Absent when it was not measured.
        case optional(Path<Int64?>)
        case flag(Path<Bool>)
        case text(Path<String>)
        case end
    }

    private static let fields: [(tag: UInt8, field: Field)] = [
        (1, .text(\.recordID)), (2, .text(\.accountID)), (3, .text(\.connectionID)),
        (4, .number(\.segment)), (5, .text(\.model)), (6, .number(\.endedAtMilliseconds)),
        (7, .number(\.durationMilliseconds)), (8, .number(\.bytesOut)),
        (9, .number(\.downtimeMilliseconds)), (10, .number(\.busyMilliseconds)),
        (11, .flag(\.isExcludedFromSLA)), (12, .text(\.gateway)), (13, .number(\.epoch)),
        (14, .number(\.sequence)), (15, .text(\.keyID)), (16, .text(\.user)),
        (17, .text(\.purpose)), (18, .text(\.provider)), (19, .number(\.startedAtMilliseconds)),
        (20, .number(\.events)), (21, .number(\.bytesRaw)),
        (22, .optional(\.firstTokenMicroseconds)), (23, .number(\.stallProviderMilliseconds)),
        (24, .number(\.stallClientMilliseconds)), (25, .number(\.attempts)),
        (26, .text(\.coding)), (27, .text(\.sealing)), (28, .optional(\.roundTripMicroseconds)),
        (29, .number(\.retransmits)), (30, .number(\.lost)), (31, .end),
        (32, .optional(\.inFlightBytes)), (33, .flag(\.isUsageEstimated)),
        (34, .optional(\.inputTokens)), (35, .optional(\.outputTokens)),
        (36, .optional(\.cachedInputTokens)), (37, .optional(\.cacheWriteTokens)),
        (38, .optional(\.reasoningTokens)), (39, .optional(\.latencyMean)),
        (40, .optional(\.latencyMinimum)), (41, .optional(\.latencyMaximum)),
        (42, .optional(\.latencyP95)), (43, .optional(\.latencyP99)),
    ]

    private static let fieldOfTag = Dictionary(
        uniqueKeysWithValues: fields.map { ($0.tag, $0.field) }
    )
}

extension [UInt8] {
    fileprivate mutating func append(number: Int64, _ tag: UInt8) {
        append(tag << 1)
        append(varying: number)
    }

    fileprivate mutating func append(text: String, _ tag: UInt8) {
        append(tag << 1 | 1)
        append(varying: Int64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

/// The parts of what comes whole or not at all, one by one.
extension UsageRecord {
    fileprivate var inputTokens: Int64? {
        get { usage?.input }
        set { setUsage(\.input, newValue) }
    }
    fileprivate var outputTokens: Int64? {
        get { usage?.output }
        set { setUsage(\.output, newValue) }
    }
    fileprivate var cachedInputTokens: Int64? {
        get { usage?.cachedInput }
        set { setUsage(\.cachedInput, newValue) }
    }
    fileprivate var cacheWriteTokens: Int64? {
        get { usage?.cacheWrite }
        set { setUsage(\.cacheWrite, newValue) }
    }
    fileprivate var reasoningTokens: Int64? {
        get { usage?.reasoning }
        set { setUsage(\.reasoning, newValue) }
    }
    fileprivate var latencyMean: Int64? {
        get { latency?.mean }
        set { setLatency { $0.mean = newValue ?? 0 } }
    }
    fileprivate var latencyMinimum: Int64? {
        get { latency?.minimum }
        set { setLatency { $0.minimum = newValue ?? 0 } }
    }
    fileprivate var latencyMaximum: Int64? {
        get { latency?.maximum }
        set { setLatency { $0.maximum = newValue ?? 0 } }
    }
    fileprivate var latencyP95: Int64? {
        get { latency?.p95 }
        set { setLatency { $0.p95 = newValue } }
    }
    fileprivate var latencyP99: Int64? {
        get { latency?.p99 }
        set { setLatency { $0.p99 = newValue } }
    }

    private mutating func setUsage(_ path: WritableKeyPath<TokenUsage, Int64>, _ value: Int64?) {
        var changed = usage ?? TokenUsage()
        changed[keyPath: path] = value ?? 0
        usage = changed
    }

    private mutating func setLatency(_ change: (inout LatencySummary) -> Void) {
        var changed = latency ?? LatencySummary(mean: 0, minimum: 0, maximum: 0)
        change(&changed)
        latency = changed
    }
}
