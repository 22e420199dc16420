import Metering
import StreamBytes

extension UsageReport {
    /// One JSON object: whole numbers, and US dollars as texts with nine decimals.
    package var json: String {
        var members = [
            "\"from\":\"\(query.from.text)\"", "\"to\":\"\(query.to.text)\"",
            "\"account\":\(query.account.map(jsonText) ?? "null")",
            "\"group\":[\(query.grouping.map { "\"\($0.rawValue)\"" }.joined(separator: ","))]",
            "\"rows\":[\(rows.map(json(of:)).joined(separator: ","))]",
            "\"next\":\(next.map(jsonText) ?? "null")",
            "\"total\":{\(total.jsonMembers),\"trend\":\(total.trend(since: previousTotal))}",
        ]
        let previous = query.previous
        members.append(
            "\"previous\":{\"from\":\"\(previous.from.text)\",\"to\":\"\(previous.to.text)\","
                + "\(previousTotal.jsonMembers)}"
        )
        members.append("\"projection\":\(projection?.json ?? "null")")
        return "{\(members.joined(separator: ","))}"
    }

    /// The `after` of the next page; nil on the last one.
    package var next: String? {
        hasMore ? rows.last.map { UsageCursor.text($0.values) } : nil
    }

    private func json(of row: Row) -> String {
        let values = zip(query.grouping, row.values).map { dimension, value in
            "\"\(dimension.rawValue)\":\(jsonText(value)),"
        }
        let trend = row.previous.map { ",\"trend\":\(row.sums.trend(since: $0))" } ?? ""
        return "{\(values.joined())\(row.sums.jsonMembers)\(trend)}"
    }

    /// RFC 4180: a line of names, then one for each row; without grouping, one for the total.
    package var csv: [String] {
        let names = query.grouping.map(\.rawValue) + UsageSums.columns.map(\.name)
        let lines =
            query.grouping.isEmpty
            ? [total.columnTexts] : rows.map { $0.values.map(Self.csvText) + $0.sums.columnTexts }
        return ([names] + lines).map { $0.joined(separator: ",") }
    }

    private static func csvText(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 > 0x1F && $0 != 0x22 && $0 != 0x2C }
        // A spreadsheet takes what begins like this for a formula.
        let isFormula = text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        let safe = isFormula ? "'" + text : text
        guard !isPlain || isFormula else { return safe }
        return "\""
            + safe.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    /// Aligned columns for people, with the trend, the total and the projection.
    package var table: [String] {
        let columns = ["STREAMS", "INPUT", "OUTPUT", "SUBTOTAL", "PENALTY", "CHARGE", "TREND"]
        var lines = [query.grouping.map { $0.rawValue.uppercased() } + columns]
        if lines[0].count == columns.count { lines[0].insert("", at: 0) }
        for row in rows where !query.grouping.isEmpty {
            let values = row.values.map { $0.isEmpty ? "-" : $0.printed }
            lines.append(values + row.sums.cells(since: row.previous))
        }
        let width = max(1, query.grouping.count)
        let label = ["total"] + Array(repeating: "", count: width - 1)
        lines.append(label + total.cells(since: previousTotal))
        var text = Self.aligned(lines, textColumns: width)
        if hasMore { text.append("there is more: --after '\(next ?? "")'") }
        let previous = query.previous
        text.append("")
        text.append("\(query.from.text) to \(query.to.text), US dollars")
        text.append("trend: the charge since \(previous.from.text) to \(previous.to.text)")
        return text + (projection?.lines ?? [])
    }

    private static func aligned(_ rows: [[String]], textColumns: Int) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < textColumns ? cell + padding : padding + cell
            }
            return cells.joined(separator: "  ")
        }
    }
}

extension UsageSums {
    static let columns: [(name: String, text: @Sendable (UsageSums) -> String)] = [
        ("records", { "\($0.records)" }), ("streams", { "\($0.streams)" }),
        ("breached_records", { "\($0.breachedRecords)" }),
        ("input_tokens", { "\($0.inputTokens)" }), ("output_tokens", { "\($0.outputTokens)" }),
        ("bytes_out", { "\($0.bytesOut)" }), ("duration_ms", { "\($0.durationMilliseconds)" }),
        ("subtotal", { "\(Money(nanodollars: $0.subtotal))" }),
        ("discount", { "\(Money(nanodollars: $0.discount))" }),
        ("sla_penalty", { "\(Money(nanodollars: $0.penalty))" }),
        ("charge", { "\(Money(nanodollars: $0.charge))" }),
    ]

    fileprivate var columnTexts: [String] { Self.columns.map { $0.text(self) } }

    fileprivate var jsonMembers: String {
        func number(_ value: Int64?) -> String { value.map { String($0) } ?? "null" }
        let charge = perStream(Int128(charge)).map { "\"\(Money(nanodollars: $0))\"" } ?? "null"
        return """
            "records":\(records),"streams":\(streams),"breachedRecords":\(breachedRecords),\
            "inputTokens":\(inputTokens),"outputTokens":\(outputTokens),"bytesOut":\(bytesOut),\
            "durationMs":\(durationMilliseconds),"subtotal":"\(Money(nanodollars: subtotal))",\
            "discount":"\(Money(nanodollars: discount))",\
            "slaPenalty":"\(Money(nanodollars: penalty))",\
            "charge":"\(Money(nanodollars: self.charge))",\
            "perStream":{"inputTokens":\(number(perStream(Int128(inputTokens)))),\
            "outputTokens":\(number(perStream(Int128(outputTokens)))),\
            "bytesOut":\(number(perStream(Int128(bytesOut)))),\
            "durationMs":\(number(perStream(Int128(durationMilliseconds)))),"charge":\(charge)}
            """
    }

    /// Changes in percent, each null where there was nothing before.
    fileprivate func trend(since before: Self) -> String {
        func percent(_ now: Int128, _ before: Int128) -> String {
            UsageTrend.percent(now, since: before) ?? "null"
        }
        return "{\"streamsPercent\":\(percent(Int128(streams), Int128(before.streams))),"
            + "\"tokensPercent\":\(percent(tokens, before.tokens)),"
            + "\"chargePercent\":\(percent(Int128(charge), Int128(before.charge)))}"
    }

    fileprivate func cells(since before: Self?) -> [String] {
        let trend = before.flatMap {
            UsageTrend.percent(Int128(charge), since: Int128($0.charge))
        }
        return [
            "\(streams)", "\(inputTokens)", "\(outputTokens)", "\(Money(nanodollars: subtotal))",
            "\(Money(nanodollars: penalty))", "\(Money(nanodollars: charge))",
            trend.map { "\($0) %" } ?? "-",
        ]
    }
}

extension UsageProjection {
    fileprivate var json: String {
        let providers = providers.sorted { $0.key < $1.key }.map { name, provider in
            "{\"provider\":\(jsonText(name)),\"tokens\":\(provider.tokens),"
                + "\"projectedTokens\":\(provider.projectedTokens),"
                + "\"charge\":\"\(provider.charge.text(decimals: 9))\","
                + "\"projectedCharge\":\"\(provider.projectedCharge.text(decimals: 9))\","
                + "\"discountBp\":\(Self.number(provider.discountBasisPoints)),"
                + "\"projectedDiscountBp\":"
                + "\(Self.number(provider.projectedDiscountBasisPoints))}"
        }
        return """
            {"period":"\(period)","elapsedMs":\(elapsed),"charge":"\(charge.text(decimals: 9))",\
            "projectedCharge":"\(projectedCharge.text(decimals: 9))",\
            "providers":[\(providers.joined(separator: ","))]}
            """
    }

    private static func number(_ value: Int64?) -> String { value.map { String($0) } ?? "null" }

    fileprivate var lines: [String] {
        let providers = providers.sorted { $0.key < $1.key }.map { name, provider in
            let discounts =
                provider.projectedDiscountBasisPoints.map {
                    ", discount \(provider.discountBasisPoints ?? 0) to \($0) bp"
                } ?? ""
            return "  \(name): \(provider.tokens) to \(provider.projectedTokens) tokens"
                + "\(discounts), \(provider.charge.text(decimals: 9)) to \(provider.projectedCharge.text(decimals: 9))"
        }
        return [
            "projection: \(period) will cost \(projectedCharge.text(decimals: 9)), if it goes on as it did; "
                + "so far \(charge.text(decimals: 9))"
        ] + providers
    }
}

extension String {
    /// Without what would move a terminal's cursor.
    fileprivate var printed: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
            )
        )
    }
}
