import Metering
import Pricing
import TestSupport
import Testing

/// The text of a charge: everything that it was worked out from.
@Suite struct ChargeExplanationTests {
    private func rated(_ changes: [String: String] = [:]) throws -> (RatedRecord, PriceList) {
        let prices = try BillingSamples.prices()
        guard case .rated(let rated) = prices.settle(BillingSamples.delivered("r1", changes)) else {
            throw NotRated()
        }
        return (rated, prices.lists[0])
    }

    private struct NotRated: Error {}

    private func lines(
        _ changes: [String: String] = [:],
        _ discount: ChargeExplanation.Discount
    ) throws -> [String] {
        let (rated, list) = try rated(changes)
        return ChargeExplanation(rated, by: list, discount: discount).lines
    }

    /// The first of the two examples that are worked by hand in the rules.
    @Test func `a broken guarantee in the first tier is shown factor by factor`() throws {
        let lines = try lines(
            ["latency_us": "400000"],
            .wholeVolume(providerTokens: 1_000_000)
        )
        #expect(
            lines == [
                "record      r1: account acme, stream c1, segment 0",
                "model       openai/gpt-4, provider openai",
                "price list  2026-01-01, in force from the beginning",
                "ended       2026-01-15T12:00:00.000Z, received 2026-01-15T12:00:01.000Z",
                "period      2026-01",
                "",
                "components, each rounded to nine decimals, ties away from zero:",
                "  stream_time        60000 ms / 1000 x 0.000200000 = 0.012000000",
                "  stream_bytes       500000 B / 1000000 x 0.020000000 = 0.010000000",
                "  bandwidth_premium  max(0, 500000 - 10000000) = 0 B",
                "                     0 B / 1000 x 0.000005000 = 0.000000000",
                "  tokens_in          1000 tokens / 1000 x 0.030000000 = 0.030000000",
                "  tokens_out         500 tokens / 1000 x 0.060000000 = 0.030000000",
                "  infra_base         segment 0 = 0.002000000",
                "  infra_time         60000 ms / 3600000 x 0.020000000 = 0.000333333333333333… "
                    + "-> 0.000333333",
                "  subtotal           the sum of these = 0.084333333",
                "",
                "guarantees; being exactly at one keeps it:",
                "  uptime             (60000 - 0) ms x 10000 = 600000000, at least 9950 x 60000 = "
                    + "597000000 is promised: kept",
                "  latency            400000 us, at most 300 ms x 1000 = 300000 is promised: broken",
                "  bandwidth          busy for 0 ms, judged from 1000 ms on: kept",
                "",
                "discount, whole-volume: all of openai's 1000000 tokens of 2026-01 decide:",
                "  tier 0             from 0 tokens on, 0 bp: the record would cost 0.071683333",
                "  tier 1             from 1000000 tokens on, 1000 bp: the record would cost "
                    + "0.064515000   <- holds",
                "  tier 2             from 10000000 tokens on, 2000 bp: the record would cost "
                    + "0.057346666",
                "",
                "  discount           0.084333333 x 1000 / 10000 = 0.0084333333 -> 0.008433333",
                "  net                0.084333333 - 0.008433333 = 0.075900000",
                "  sla_penalty        once for latency: 0.075900000 x 1500 / 10000 = 0.011385000",
                "  charge             0.075900000 - 0.011385000 = 0.064515000",
            ]
        )
    }

    @Test func `a graduated discount shows how the tokens fall into tiers`() throws {
        let lines = try lines([:], .graduated(tokensBefore: 999_500, providerTokens: 2_000_000))
        #expect(
            lines.contains(
                "discount, graduated: 999500 of openai's 2000000 tokens of 2026-01 are before the "
                    + "record's 1500:"
            )
        )
        #expect(
            lines.suffix(4) == [
                "  discount           0.084333333 x (500 x 0 + 1000 x 1000) / (10000 x 1500) = "
                    + "0.0056222222 -> 0.005622222",
                "  net                0.084333333 - 0.005622222 = 0.078711111",
                "  sla_penalty        no guarantee was broken = 0.000000000",
                "  charge             0.078711111 - 0.000000000 = 0.078711111",
            ]
        )
    }

    @Test func `what is not judged, and what others pay, is said`() throws {
        let excluded = try lines(
            ["sla_excluded": "1", "segment": "3"],
            .wholeVolume(providerTokens: 0)
        )
        #expect(excluded.contains("guarantees: none is judged, sla_excluded is 1"))
        #expect(
            excluded.contains(
                "  infra_base         segment 3, paid by segment 0 only = 0.000000000"
            )
        )
        let busy = try lines(
            ["busy_ms": "1000", "bytes_out": "1999999"],
            .wholeVolume(providerTokens: 0)
        )
        #expect(
            busy.contains(
                "  bandwidth          1999999 B x 1000 = 1999999000, at least 2000000 x 1000 ms = "
                    + "2000000000 is promised: broken"
            )
        )
    }

    /// The largest numbers that a price list lets a record have.
    @Test func `huge records are explained without wrapping`() throws {
        let lines = try lines(
            [
                "bytes_out": "1000000000000000", "input_tokens": "1000000000000",
                "output_tokens": "1000000000000", "duration_ms": "2678400000",
            ],
            .graduated(tokensBefore: 0, providerTokens: 2_000_000_000_000)
        )
        let (rated, _) = try rated(
            [
                "bytes_out": "1000000000000000", "input_tokens": "1000000000000",
                "output_tokens": "1000000000000", "duration_ms": "2678400000",
            ]
        )
        #expect(lines.contains("  subtotal           the sum of these = \(rated.charge.subtotal)"))
        #expect(
            lines.last?.hasSuffix(
                " - 0.000000000 = \(lines.last?.split(separator: " ").last ?? "")"
            ) == true
        )
    }
}
