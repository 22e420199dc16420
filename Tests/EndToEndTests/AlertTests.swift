import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// What operators and accounts are alerted of, as `GET /api/alerts` and the log tell it.
    @Suite struct AlertTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
        }

        /// Two accounts, of which one has a quota that its first answer uses up; a model of which the
        /// provider is not there.
        private func start(_ replay: RunningReplay) async throws -> RunningWeir {
            let accounts = """
                accounts:
                  - id: acme
                    quotas: [{ kind: tokens, limit: 10 }]
                    keys: [{ id: k1, sha256: \(digest("acme-key")) }]
                  - { id: other, keys: [{ id: k2, sha256: \(digest("other-key")) }] }

                """
            return try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: accounts
                    + configuration(
                        providers: [
                            ("replay", "openai", "\(replay.url)/v1"),
                            ("absent", "openai", "http://127.0.0.1:1/v1"),
                        ],
                        models: [
                            ("good", "replay", "openai/chat-text-usage"), ("bad", "absent", "x"),
                        ],
                        prices: ["good": "openai/gpt-4"]
                    ),
                settings: [
                    "redis.url=\(server.url)", "alerts.interval=100ms", "alerts.away.above=1s",
                ]
            )
        }

        private func alerts(
            _ address: String,
            _ query: String = "",
            key: String? = nil
        ) async throws -> JSONTree {
            let field = key.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
            let text = try await output(
                of: "curl",
                ["-s", "\(address)/api/alerts\(query)"] + field
            )
            return try #require(jsonTree(text))
        }

        private func rules(_ answer: JSONTree) -> [String] {
            answer["alerts"]?.elements.compactMap { $0["rule"]?.string } ?? []
        }

        @Test func `quotas and failures are told to whom they concern, page by page`() async throws
        {
            let replay = try await RunningReplay.start()
            let weir = try await start(replay)
            let good = try await weir.fetch(weir.asking("good", key: "acme-key"))
            #expect(good.status == 200)
            for _ in 0..<20 {
                let bad = try await weir.fetch(weir.asking("bad", key: "other-key"))
                #expect(bad.status == 502)
            }

            let all = try await eventually("the alerts") {
                let all = try await alerts(weir.admin)
                return rules(all).count >= 3 ? all : nil
            }
            #expect(rules(all).sorted() == ["error_rate", "quota.tokens", "quota.tokens"])
            let limits = all["alerts"]?.elements.compactMap { $0["limit"]?.string } ?? []
            #expect(limits.sorted() == ["5.0 %", "80 % of 10", "95 % of 10"])
            let raised = all["alerts"]?.elements.first?["raisedAt"]?.string ?? ""
            #expect(raised.hasSuffix("Z") && raised.contains("T"))

            let own = try await alerts(weir.url, key: "acme-key")
            #expect(rules(own) == ["quota.tokens", "quota.tokens"])
            #expect(rules(try await alerts(weir.url, key: "other-key")) == [])
            #expect(try await alerts(weir.url)["status"]?.integer == 401)
            let foreign = try await alerts(weir.url, "?account=acme", key: "other-key")
            #expect(foreign["status"]?.integer == 400)

            var read: [String] = []
            var query = "?limit=1"
            for _ in 0..<4 {
                let page = try await alerts(weir.admin, query)
                read += rules(page)
                guard let next = page["next"]?.string else { break }
                query = "?limit=1&after=\(next)"
            }
            #expect(read == rules(all))
            let critical = try await alerts(weir.admin, "?severity=critical&account=acme")
            #expect(critical["alerts"]?.elements.map { $0["limit"]?.string } == ["95 % of 10"])
            #expect(rules(try await alerts(weir.admin, "?rule=error_rate")) == ["error_rate"])
            for query in ["severity=loud", "limit=0", "state=x", "after=x"] {
                #expect(try await alerts(weir.admin, "?\(query)")["status"]?.integer == 400)
            }

            let lines = weir.log.filter { $0.contains("\"alert_raised\"") }
            #expect(lines.count { $0.contains("\"error_rate\"") } == 1)
            #expect(lines.count { $0.contains("\"quota.tokens\"") } == 2)
            try await weir.stop()
            #expect(replay.program.status == nil)
        }

        @Test func `an alert outlives the process, and is over once, when its reason is`()
            async throws
        {
            let replay = try await RunningReplay.start()
            let first = try await start(replay)
            server.kill()
            _ = try await eventually("the alert") {
                let open = try await alerts(first.admin, "?state=open&rule=redis")
                return rules(open) == ["redis"] ? open : nil
            }
            first.program.kill()
            try await first.program.end()

            let second = try await start(replay)
            let kept = try await alerts(second.admin, "?rule=redis")
            #expect(kept["alerts"]?.elements.map { $0["severity"]?.string } == ["critical"])
            try server.start()
            let over = try await eventually("the end of the alert") {
                let all = try await alerts(second.admin, "?rule=redis")
                return all["alerts"]?.elements.first?["clearedAt"]?.string == nil ? nil : all
            }
            #expect(rules(over) == ["redis"])
            #expect(rules(try await alerts(second.admin, "?state=open&rule=redis")) == [])
            #expect(second.log.count { $0.contains("\"alert_cleared\"") } == 1)
            #expect(!second.log.contains { $0.contains("\"alert_raised\"") })
            let metrics = try await output(of: "curl", ["-s", "\(second.admin)/metrics"])
            #expect(metrics.contains("weir_alert{rule=\"redis\"} 0"))
            try await second.stop()
            #expect(replay.program.status == nil)
        }

        @Test func `records that somebody trimmed away are missed by name until they come`()
            async throws
        {
            // What a MAXLEN of somebody else leaves: the oldest are gone before anybody read them.
            let feed = MeterFeed(server, partitions: 1)
            try feed.write(1..<6, further: ["XTRIM weir:meter:0 MAXLEN 0"])
            try feed.write(6..<9)
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                settings: [
                    "redis.url=\(server.url)", "alerts.interval=100ms", "billing.takeover=1s",
                    "alerts.missing.above=1s",
                ]
            )
            let missed = try await eventually("the alert; \(weir.log.suffix(4))") {
                let open = try await alerts(weir.admin, "?state=open&rule=missing_records")
                return open["alerts"]?.elements.first
            }
            #expect(missed["subject"]?.string == "records 1 to 5 of feed:1")
            #expect(missed["severity"]?.string == "critical")
            #expect(weir.log.count { $0.contains("\"meter_records_missing\"") } == 1)
            _ = try await eventually("what billing shows of it") {
                let metrics = try await output(of: "curl", ["-s", "\(weir.admin)/metrics"])
                let lines = Set(metrics.split(separator: "\n").map(String.init))
                return [
                    "weir_billing_missing_records 5", "weir_billing_lag_seconds 0",
                    "weir_billing_records_total{outcome=\"accepted\"} 3",
                    "weir_billing_pending_records{partition=\"0\"} 0",
                    "weir_billing_undelivered_records{partition=\"0\"} 0",
                    "weir_meter_stream_entries{partition=\"0\"} 3",
                    "weir_alert{rule=\"missing_records\"} 1",
                ].allSatisfy(lines.contains) ? metrics : nil
            }

            try feed.write(1..<6)
            _ = try await eventually("the end of the alert") {
                let open = try await alerts(weir.admin, "?state=open&rule=missing_records")
                return rules(open).isEmpty.whenTrue
            }
            let all = try await alerts(weir.admin, "?rule=missing_records")
            #expect(all["alerts"]?.elements.count == 1)
            #expect(weir.log.count { $0.contains("\"meter_records_found\"") } == 1)
            try await weir.stop()
        }
    }
}
