import Metering

/// The commands that say what has become of records, and what their answers mean.
struct SettlementPlan {
    /// How many entries one command acknowledges at most.
    private static let acknowledgedAtOnce = 1_000
    /// How many runs of gateways one command publishes at most.
    private static let publishedAtOnce = 500

    private var burials: [(entryID: String, command: RedisCommand)]
    private let publications: [RedisCommand]
    private let acknowledgements: [RedisCommand]

    struct Result {
        /// Entries that are set aside now.
        var buried: [String] = []
        /// What was refused and may wait.
        var problem: String?
    }

    init(_ records: SettledRecords, key: String, deadKey: String, group: String) {
        burials = records.refused.map { refused in
            (refused.record.entryID, Self.burial(refused.record, refused.reason, deadKey))
        }
        publications = records.committed.chunks(of: Self.publishedAtOnce).map { runs in
            RedisCommand(
                ["HSET", MeterStreams.committedKey]
                    + runs.flatMap { ["\($0.gateway):\($0.epoch)", String($0.through)] }
            )
        }
        acknowledgements = records.stored.chunks(of: Self.acknowledgedAtOnce).map { ids in
            RedisCommand(["XACK", key, group] + ids)
        }
    }

    /// Leaves out what is set aside already.
    mutating func skip(_ buried: Set<String>) {
        burials.removeAll { buried.contains($0.entryID) }
    }

    var commands: [RedisCommand] {
        burials.map(\.command) + publications + acknowledgements
    }

    var isEmpty: Bool { burials.isEmpty && publications.isEmpty && acknowledgements.isEmpty }

    /// Judges the answers.
    ///
    /// A server without memory refuses to take anything, but can be told that it may forget: what
    /// it refuses to take waits, so that the rest is acknowledged.
    ///
    /// - Throws: the refusal of an acknowledgement.
    func result(_ replies: [RedisValue]) throws(RedisError) -> Result {
        var result = Result()
        var rest = replies[...]
        for burial in burials {
            let reply = rest.popFirst()
            if case .bytes = reply {
                result.buried.append(burial.entryID)
            } else {
                result.problem = reply?.refusal.map { "a record cannot be set aside: \($0)" }
            }
        }
        for _ in publications {
            guard let refusal = rest.popFirst()?.refusal else { continue }
            result.problem = "weir:committed cannot be written: \(refusal)"
        }
        for reply in rest {
            if let refusal = reply.refusal { throw .refused(refusal) }
        }
        return result
    }

    private static func burial(
        _ record: DeliveredRecord,
        _ reason: String,
        _ deadKey: String
    ) -> RedisCommand {
        var words = ["XADD", deadKey, "*", "reason", reason, "entry_id", record.entryID]
        for (name, value) in record.fields.sorted(by: { $0.key < $1.key }) {
            let isTaken = name == "reason" || name == "entry_id"
            words.append(isTaken ? "record.\(name)" : name)
            words.append(value)
        }
        return RedisCommand(words)
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
