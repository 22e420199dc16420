import Metering

/// A meter record that passed every check: what rating reads of it.
///
/// Two records are equal when all of these fields are, and were present, alike.
package struct MeterRecord: Hashable, Sendable {
    package let recordID: String
    package let accountID: String
    package let connectionID: String
    package let segment: Int64
    package let model: String
    package let endedAtMilliseconds: Int64
    package let durationMilliseconds: Int64
    package let bytesOut: Int64
    package let inputTokens: Int64
    package let outputTokens: Int64
    package let downtimeMilliseconds: Int64
    package let busyMilliseconds: Int64
    /// Nil: not measured.
    package let latencyMicroseconds: Int64?
    /// Nil: not said, which means that the SLA holds.
    package let slaExclusion: Bool?

    /// A record that passed every check before, from what was kept of it.
    package init(
        recordID: String,
        accountID: String,
        connectionID: String,
        segment: Int64,
        model: String,
        endedAtMilliseconds: Int64,
        durationMilliseconds: Int64,
        bytesOut: Int64,
        inputTokens: Int64,
        outputTokens: Int64,
        downtimeMilliseconds: Int64,
        busyMilliseconds: Int64,
        latencyMicroseconds: Int64?,
        slaExclusion: Bool?
    ) {
        self.recordID = recordID
        self.accountID = accountID
        self.connectionID = connectionID
        self.segment = segment
        self.model = model
        self.endedAtMilliseconds = endedAtMilliseconds
        self.durationMilliseconds = durationMilliseconds
        self.bytesOut = bytesOut
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.downtimeMilliseconds = downtimeMilliseconds
        self.busyMilliseconds = busyMilliseconds
        self.latencyMicroseconds = latencyMicroseconds
        self.slaExclusion = slaExclusion
    }

    /// Reads and checks the fields, in the order that decides which mistake is named.
    ///
    /// - Parameters:
    ///   - fields: the record as it stands in the stream; fields that are not known are ignored.
    ///   - prices: names the models and the limits.
    ///   - received: when the stream took the record, in milliseconds since 1970.
    /// - Throws: `RecordRejection`, the first mistake.
    package init(
        _ fields: [String: String],
        prices: PriceList,
        receivedAtMilliseconds received: Int64
    ) throws(RecordRejection) {
        let reader = FieldReader(fields: fields)
        let limits = prices.limits
        guard try reader.text("v") == "1" else { throw RecordRejection(.unsupportedVersion, "v") }
        recordID = try reader.identifier("record_id")
        accountID = try reader.identifier("account_id")
        connectionID = try reader.identifier("connection_id")
        segment = try reader.integer("segment", 0...limits.segment)
        model = try reader.text("model")
        guard prices.price(of: model) != nil else { throw RecordRejection(.unknownModel, "model") }
        endedAtMilliseconds = try reader.integer("ended_at_ms", limits.endedAtMilliseconds)
        durationMilliseconds = try reader.integer("duration_ms", 0...limits.durationMilliseconds)
        bytesOut = try reader.integer("bytes_out", 0...limits.bytesOut)
        inputTokens = try reader.integer("input_tokens", 0...limits.inputTokens)
        outputTokens = try reader.integer("output_tokens", 0...limits.outputTokens)
        downtimeMilliseconds = try reader.integer("downtime_ms", 0...limits.downtimeMilliseconds)
        busyMilliseconds = try reader.integer("busy_ms", 0...limits.busyMilliseconds)
        latencyMicroseconds = try reader.optionalInteger(
            "latency_us",
            0...limits.latencyMicroseconds
        )
        slaExclusion = try reader.optionalFlag("sla_excluded")
        try checkConsistency()
        try checkAge(received: received, rules: prices.times)
    }

    package var tokens: Int64 { inputTokens + outputTokens }

    private func checkConsistency() throws(RecordRejection) {
        guard downtimeMilliseconds <= durationMilliseconds else {
            throw RecordRejection(.inconsistent, "downtime_ms")
        }
        guard busyMilliseconds <= durationMilliseconds else {
            throw RecordRejection(.inconsistent, "busy_ms")
        }
    }

    private func checkAge(received: Int64, rules: TimeRules) throws(RecordRejection) {
        let age = Int128(received) - Int128(endedAtMilliseconds)
        guard age <= Int128(rules.maximumAgeMilliseconds) else {
            throw RecordRejection(.tooOld, "ended_at_ms")
        }
        guard -age <= Int128(rules.maximumFutureMilliseconds) else {
            throw RecordRejection(.inFuture, "ended_at_ms")
        }
    }
}

private struct FieldReader {
    let fields: [String: String]

    func text(_ name: String) throws(RecordRejection) -> String {
        guard let text = fields[name] else { throw RecordRejection(.missingField, name) }
        return text
    }

    func identifier(_ name: String) throws(RecordRejection) -> String {
        let text = try text(name)
        guard MeterIdentifier.isValid(text) else { throw RecordRejection(.badID, name) }
        return text
    }

    func integer(_ name: String, _ range: ClosedRange<Int64>) throws(RecordRejection) -> Int64 {
        switch IntegerText(try text(name)) {
        case .number(let value) where range.contains(value): return value
        case .number, .tooLong: throw RecordRejection(.outOfRange, name)
        case .negative: throw RecordRejection(.negative, name)
        case .other: throw RecordRejection(.notInteger, name)
        }
    }

    func optionalInteger(
        _ name: String,
        _ range: ClosedRange<Int64>
    ) throws(RecordRejection) -> Int64? {
        fields[name] == nil ? nil : try integer(name, range)
    }

    func optionalFlag(_ name: String) throws(RecordRejection) -> Bool? {
        switch fields[name] {
        case nil: return nil
        case "0": return false
        case "1": return true
        default: throw RecordRejection(.notBoolean, name)
        }
    }
}

/// What a text that should be an integer is: `0`, or a digit 1 to 9 followed by digits.
package enum IntegerText: Equatable {
    case number(Int64)
    /// An integer beyond 64 bits.
    case tooLong
    /// A minus sign before an integer.
    case negative
    case other

    package init(_ text: String) {
        var value: Int64 = 0
        var digits = 0
        var startsWithZero = false
        var isNegative = false
        var isTooLong = false
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-"), digits == 0, !isNegative {
                isNegative = true
                continue
            }
            guard Self.isDigit(byte) else {
                self = .other
                return
            }
            if digits == 0 { startsWithZero = byte == UInt8(ascii: "0") }
            digits += 1
            let (product, productIsTooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumIsTooLong) = product.addingReportingOverflow(Int64(byte & 15))
            isTooLong = isTooLong || productIsTooLong || sumIsTooLong
            value = isTooLong ? 0 : sum
        }
        guard digits > 0, digits == 1 || !startsWithZero else {
            self = .other
            return
        }
        self = isNegative ? .negative : isTooLong ? .tooLong : .number(value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
