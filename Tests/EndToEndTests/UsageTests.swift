import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Usage and bills, as accounts and operators read them.
    @Suite struct UsageTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private func get(_ url: String, key: String? = nil) async throws -> (Int, JSONTree) {
            let field = key.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
            let text = try await output(of: "curl", ["-s", "-w", "\n%{http_code}", url] + field)
            let lines = text.split(separator: "\n").map(String.init)
            let status = try #require(Int(lines.last ?? ""))
            return (status, try #require(jsonTree(lines.dropLast().joined(separator: "\n"))))
        }

        @Test func `what a stream cost is read over HTTP and by command, and by its account alone`()
            async throws
        {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            _ = try await output(of: "sh", ["-c", weir.curlLine])
            let charge = try #require(try await weir.ledger.charges(1).first)
            let cost = try #require(charge["charge_usd"]?.string)
            let period = try #require(charge["period"]?.string)

            let (status, usage) = try await get(
                "\(weir.url)/api/usage?group=model,account",
                key: weir.key
            )
            #expect(status == 200)
            let row = try #require(usage["rows"]?.elements.first)
            #expect(row["model"]?.string == "openai/gpt-4")
            #expect(row["account"]?.string == "local")
            #expect(row["charge"]?.string == cost)
            #expect(usage["total"]?["charge"]?.string == cost)
            #expect(usage["total"]?["streams"]?.integer == 1)
            #expect(usage["projection"]?["charge"]?.string == cost)
            let means = try #require(usage["means"])
            #expect((means["firstTokenUs"]?.integer ?? 0) > 0)
            #expect(means["rows"]?.elements.first?["latencyUs"] == means["latencyUs"])
            #expect(means["latencyUs"]?.integer != nil)

            let bill = "/api/billing/accounts/local/periods/\(period)"
            let (billStatus, statement) = try await get(weir.url + bill, key: weir.key)
            #expect(billStatus == 200)
            #expect(statement["status"]?.string == "open")
            #expect(statement["charge"]?.string == cost)
            #expect(statement["invoice"]?["currency"]?.string == "USD")

            #expect(try await get(weir.url + "/api/usage").0 == 401)
            #expect(try await get(weir.url + bill).0 == 401)
            let other = "\(weir.url)/api/usage?account=other"
            #expect(try await get(other, key: weir.key).0 == 403)
            let others = "\(weir.url)/api/billing/accounts/other/periods/\(period)"
            #expect(try await get(others, key: weir.key).0 == 403)
            #expect(
                try await get("\(weir.admin)/api/billing/accounts/other/periods/\(period)").0 == 404
            )
            let (refused, problem) = try await get(
                "\(weir.url)/api/usage?group=colour",
                key: weir.key
            )
            #expect(refused == 400)
            #expect(problem["detail"]?.string?.contains("group has to be some of") == true)

            let csv = try await output(
                of: Place.program("weir"),
                ["usage", "--data", scratch.path("data"), "--group", "user,day", "--format", "csv"]
            )
            let lines = csv.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("user,day,records,streams,") == true)
            #expect(lines.first?.hasSuffix(",charge,latency_us,first_token_us") == true)
            #expect(lines.last?.contains(",\(cost),") == true)
            try await weir.stop()
        }
    }
}
