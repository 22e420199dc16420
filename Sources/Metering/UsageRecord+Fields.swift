extension UsageRecord {
    /// The longest free text (`user`, `purpose`), in bytes; what is longer is cut.
    package static let textByteLimit = 256

    /// The first identifier that would be refused by rating, if any: the field's name.
    package var invalidIdentifier: String? {
        let identifiers = [
            ("record_id", recordID), ("account_id", accountID), ("connection_id", connectionID),
        ]
        return identifiers.first { !MeterIdentifier.isValid($0.1) }?.0
    }

    /// The record as it stands in the meter stream: a flat list of names and values, without
    /// duplicates.
    ///
    /// What was not measured is absent. A record without usage carries 0 tokens and neither
    /// `usage_source` nor `estimated`.
    package var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        fields.reserveCapacity(44)
        appendRatedFields(to: &fields)
        appendOrigin(to: &fields)
        appendMeasurements(to: &fields)
        appendUsageDetails(to: &fields)
        fields.append(("end", end.rawValue))
        return fields
    }

    /// The fields that rating reads.
    private func appendRatedFields(to fields: inout [(name: String, value: String)]) {
        fields.append(("v", "1"))
        fields.append(("record_id", recordID))
        fields.append(("account_id", accountID))
        fields.append(("connection_id", connectionID))
        fields.append(("segment", String(segment)))
        fields.append(("model", model))
        fields.append(("ended_at_ms", String(endedAtMilliseconds)))
        fields.append(("duration_ms", String(durationMilliseconds)))
        fields.append(("bytes_out", String(bytesOut)))
        fields.append(("input_tokens", String(usage?.input ?? 0)))
        fields.append(("output_tokens", String(usage?.output ?? 0)))
        fields.append(("downtime_ms", String(downtimeMilliseconds)))
        fields.append(("busy_ms", String(busyMilliseconds)))
        fields.append(optional: "latency_us", latency?.mean)
        fields.append(("sla_excluded", isExcludedFromSLA ? "1" : "0"))
    }

    private func appendOrigin(to fields: inout [(name: String, value: String)]) {
        fields.append(("gateway", gateway))
        fields.append(("epoch", String(epoch)))
        fields.append(("seq", String(sequence)))
        fields.append(text: "key_id", keyID)
        fields.append(text: "user", user)
        fields.append(text: "purpose", purpose)
        fields.append(text: "provider", provider)
    }

    private func appendMeasurements(to fields: inout [(name: String, value: String)]) {
        fields.append(("started_at_ms", String(startedAtMilliseconds)))
        fields.append(("events", String(events)))
        fields.append(("bytes_raw", String(bytesRaw)))
        fields.append(optional: "ttft_us", firstTokenMicroseconds)
        fields.append(optional: "latency_min_us", latency?.minimum)
        fields.append(optional: "latency_p95_us", latency?.p95)
        fields.append(optional: "latency_p99_us", latency?.p99)
        fields.append(optional: "latency_max_us", latency?.maximum)
        fields.append(("stall_provider_ms", String(stallProviderMilliseconds)))
        fields.append(("stall_client_ms", String(stallClientMilliseconds)))
        fields.append(("attempts", String(attempts)))
        fields.append(("coding", coding))
        fields.append(("sealing", sealing))
        fields.append(optional: "rtt_us", roundTripMicroseconds)
        fields.append(("retransmits", String(retransmits)))
        fields.append(("lost", String(lost)))
        fields.append(optional: "in_flight", inFlightBytes)
    }

    private func appendUsageDetails(to fields: inout [(name: String, value: String)]) {
        guard let usage else { return }
        fields.append(("cached_input_tokens", String(usage.cachedInput)))
        fields.append(("cache_write_tokens", String(usage.cacheWrite)))
        fields.append(("reasoning_tokens", String(usage.reasoning)))
        fields.append(("usage_source", isUsageEstimated ? "counted" : "provider"))
        fields.append(("estimated", isUsageEstimated ? "1" : "0"))
    }
}

extension [(name: String, value: String)] {
    fileprivate mutating func append(optional name: String, _ value: Int64?) {
        guard let value else { return }
        append((name, String(value)))
    }

    /// Appends a text that is not empty, cut at a character's end.
    fileprivate mutating func append(text name: String, _ text: String) {
        guard !text.isEmpty else { return }
        guard text.utf8.count > UsageRecord.textByteLimit else { return append((name, text)) }
        var cut = ""
        for scalar in text.unicodeScalars {
            guard cut.utf8.count + UTF8.width(scalar) <= UsageRecord.textByteLimit else { break }
            cut.unicodeScalars.append(scalar)
        }
        append((name, cut))
    }
}
