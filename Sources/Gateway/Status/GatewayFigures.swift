import StreamBytes

/// What a gateway tells others about itself: whole numbers by name, which can be added up.
///
/// Names: those of `stats`, and `end.<reason>` and `provider.<name>.<reason>` for ended streams.
package struct GatewayFigures: Equatable, Sendable {
    /// What is the same for all who share a ledger: the largest counts, not the sum.
    private static let shared: Set<String> = ["costToday", "streamsToday"]

    package private(set) var values: [String: Int64] = [:]

    package init() {}

    init(_ totals: GatewayTotals) {
        let counters = totals.counters
        values = [
            "open": totals.running.count, "opened": counters.opened,
            "dropsLastHour": counters.drops.total(atMinute: totals.minute),
            "durationMs": counters.durationMilliseconds, "events": totals.events,
            "bytes": totals.bytes, "bytesPerSecond": totals.bytesPerSecond,
            "queuedBytes": totals.running.queuedBytes, "inputTokens": counters.inputTokens,
            "outputTokens": counters.outputTokens,
            "latencyCount": Int64(clamping: counters.latency.count),
            "latencyUs": Int64(counters.latency.sumSeconds * 1_000_000),
        ]
        for (end, count) in counters.ends { values["end.\(end.rawValue)"] = count }
        for (provider, ends) in counters.byProvider {
            for (end, count) in ends { values["provider.\(provider).\(end.rawValue)"] = count }
        }
        values["meterLag"] = totals.billing.meterLag
        if let cost = totals.billing.costTodayNanodollars {
            values["costToday"] = cost
            values["streamsToday"] = totals.billing.streamsToday
        }
    }

    /// Reads what `json` wrote; nil for anything else.
    package init?(json: [UInt8]) {
        let bytes = json.span
        guard let value = try? JSONValue(parsing: bytes), value.kind == .object else { return nil }
        for member in value.members(in: bytes) {
            guard let number = member.value.integer(in: bytes) else { return nil }
            values[member.name.text(in: bytes)] = number
        }
    }

    /// One flat object.
    package var json: [UInt8] {
        var output: [UInt8] = [UInt8(ascii: "{")]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if output.count > 1 { output.append(",") }
            output.append(jsonString: name)
            output.append(":")
            output.append(decimal: value)
        }
        return output + [UInt8(ascii: "}")]
    }

    /// Adds another gateway's figures; a sum that does not fit stays at the largest number.
    package mutating func add(_ other: GatewayFigures) {
        for (name, value) in other.values {
            guard let own = values[name] else {
                values[name] = value
                continue
            }
            let (sum, overflow) = own.addingReportingOverflow(value)
            values[name] = Self.shared.contains(name) ? max(own, value) : overflow ? .max : sum
        }
    }
}

// MARK: - Stats

extension GatewayFigures {
    /// The body of `stats` for all gateways: the members of one gateway's, from sums.
    func writeStats(to json: inout JSONObjectWriter) {
        let ends = values.filter { $0.key.hasPrefix("end.") }
        let ended = ends.values.reduce(0, +)
        let completed = values["end.complete"] ?? 0
        let failed = values["end.provider_error"] ?? 0
        json.add("open", values["open"] ?? 0)
        json.add("opened", values["opened"] ?? 0)
        json.add("completed", completed)
        json.add("failed", failed)
        json.add("dropsLastHour", values["dropsLastHour"] ?? 0)
        json.add("errorRate", thousandths: ended == 0 ? 0 : failed * 1_000 / ended)
        json.add("completionRate", thousandths: ended == 0 ? 0 : completed * 1_000 / ended)
        json.add("meanDurationMs", ended == 0 ? nil : (values["durationMs"] ?? 0) / ended)
        json.add("events", values["events"] ?? 0)
        json.add("bytes", values["bytes"] ?? 0)
        json.add("bytesPerSecond", values["bytesPerSecond"] ?? 0)
        json.add("queuedBytes", values["queuedBytes"] ?? 0)
        json.add("byProvider", raw: providers)
        json.add("meterLag", values["meterLag"])
        json.add("costToday", raw: jsonDollars(values["costToday"]))
        json.add("costPerStream", raw: jsonDollars(costPerStream))
    }

    private var costPerStream: Int64? {
        guard let cost = values["costToday"], let streams = values["streamsToday"], streams > 0
        else { return nil }
        return cost / streams
    }

    private var providers: [UInt8] {
        var byName: [String: [(end: String, count: Int64)]] = [:]
        for (name, count) in values where name.hasPrefix("provider.") {
            // A provider's name may have points, the reason has none.
            let parts = name.dropFirst("provider.".count).split(separator: ".")
            guard parts.count > 1, let end = parts.last else { continue }
            byName[parts.dropLast().joined(separator: "."), default: []].append(
                (String(end), count)
            )
        }
        return jsonObject(
            byName.sorted { $0.key < $1.key }.map { name, ends in
                let counts = ends.sorted { $0.end < $1.end }.map { end, count in
                    (end, Array(String(count).utf8))
                }
                return (name, jsonObject(counts))
            }
        )
    }
}

private func jsonObject(_ members: [(String, [UInt8])]) -> [UInt8] {
    let parts = members.map { jsonString($0.0) + [UInt8(ascii: ":")] + $0.1 }
    return [UInt8(ascii: "{")] + parts.joined(separator: [UInt8(ascii: ",")])
        + [UInt8(ascii: "}")]
}
