import HTTPWire
import StreamBytes
import Telemetry

extension GatewayTotals {
    mutating func add(_ volumes: [ReactorCodings.Volume]) {
        for (index, volume) in volumes.enumerated() {
            codingVolumes[index].rawByteCount += volume.rawByteCount
            codingVolumes[index].codedByteCount += volume.codedByteCount
        }
    }

    /// How many bodies began in each coding: a JSON object.
    var codings: [UInt8] {
        var counts: [String: Int64] = [:]
        for (choice, count) in counters.codings { counts[choice.name, default: 0] += count }
        var object: [UInt8] = [UInt8(ascii: "{")]
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            if object.count > 1 { object.append(",") }
            object.append(jsonString: name)
            object.append(":")
            object.append(decimal: count)
        }
        return object + [UInt8(ascii: "}")]
    }

    /// How many bodies did not get the best coding because its memory was used up.
    var overCodingBudget: Int64 {
        counters.codings.reduce(0) { $1.key.reason == .budget ? $0 + $1.value : $0 }
    }

    func writeCodings(to text: inout PrometheusText) {
        let choices = counters.codings.sorted {
            ($0.key.name, $0.key.reason.rawValue) < ($1.key.name, $1.key.reason.rawValue)
        }
        for (choice, count) in choices {
            text.counter(
                "weir_coded_bodies_total",
                help: "Bodies of streams begun, by content coding and the reason for it.",
                labels: ["coding": choice.name, "reason": choice.reason.rawValue],
                value: count
            )
        }
        for coding in ContentCoding.allCases {
            let volume = codingVolumes[coding.index]
            for (side, count) in [
                ("raw", volume.rawByteCount), ("coded", volume.codedByteCount),
            ] {
                text.counter(
                    "weir_coding_bytes_total",
                    help: "Bytes of coded bodies before (raw) and after (coded) their coding.",
                    labels: ["coding": coding.rawValue, "side": side],
                    value: count
                )
            }
        }
        text.gauge(
            "weir_compression_held_bytes",
            help: "What encoders hold beyond a kilobyte for each stream.",
            value: codingHeldBytes
        )
    }
}
