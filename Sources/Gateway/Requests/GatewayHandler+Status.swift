import Dialects
import HTTPServer
import Metering
import Reactor
import StreamBytes
import Telemetry

// MARK: - Health

extension GatewayHandler {
    func health(_ visit: Visit) {
        visit.send(visit.answer.json(200, Array(#"{"status":"ok"}"#.utf8)))
    }

    func readiness(_ visit: Visit) {
        var reasons: [String] = []
        if core.isDraining { reasons.append("draining") }
        if let refusal = core.meter.refusal { reasons.append(refusal) }
        var json = JSONObjectWriter()
        json.add("status", reasons.isEmpty ? "ready" : "unavailable")
        json.add("reasons", raw: jsonArray(reasons.map(jsonString)))
        json.add("warnings", raw: jsonArray(core.billingStatus().warnings.map(jsonString)))
        visit.send(visit.answer.json(reasons.isEmpty ? 200 : 503, json.bytes))
    }
}

// MARK: - Models

extension GatewayHandler {
    func models(_ visit: Visit) {
        guard viewer(visit) != nil else { return }
        var json = JSONObjectWriter()
        json.add("object", "list")
        json.add("data", raw: jsonArray(visit.settings.models.models.map(describe)))
        visit.send(visit.answer.json(200, json.bytes))
    }

    func model(_ visit: Visit, _ name: String) {
        guard viewer(visit) != nil else { return }
        guard let model = visit.settings.models[name] else {
            return visit.fail(
                StreamFailure(
                    .modelNotFound,
                    "the model \(name.prefix(100)) is not served here",
                    param: "model"
                )
            )
        }
        visit.send(visit.answer.json(200, describe(model)))
    }

    private func describe(_ model: Model) -> [UInt8] {
        var json = JSONObjectWriter()
        json.add("id", model.name)
        json.add("object", "model")
        json.add("created", core.startedAt.milliseconds / 1_000)
        json.add("owned_by", model.route.first?.provider ?? "")
        return json.bytes
    }
}

// MARK: - Streams

extension GatewayHandler {
    func activeStreams(_ visit: Visit) {
        guard let viewer = viewer(visit) else { return }
        let after = visit.query["after"] ?? ""
        let limit = visit.query["limit"].map { Int($0) ?? 0 } ?? 100
        guard (1...1_000).contains(limit) else {
            return visit.fail(StreamFailure(.badRequest, "limit is a number from 1 to 1000"))
        }
        let empty = StreamPage<StreamStatus>(after: after, limit: limit)
        Gathering.start(core.registries, home: registry.executor) { registry, handOver in
            let add: @Sendable (inout StreamPage<StreamStatus>, Generation) -> Void = {
                $0.add($1.id.text, $1.status)
            }
            registry.survey(for: viewer, from: empty, add: add, finish: handOver)
        } finish: { parts in
            var page = empty
            for part in parts { page.add(part) }
            var json = JSONObjectWriter()
            json.add("streams", raw: jsonArray(page.streams.map(\.json)))
            if let next = page.next { json.add("next", next) }
            visit.send(visit.answer.json(200, json.bytes))
        }
    }

    func statistics(_ visit: Visit) {
        guard let viewer = viewer(visit) else { return }
        switch visit.query["scope"] {
        case nil, "gateway": break
        case "all": return fleetStatistics(visit)
        default: return visit.fail(StreamFailure(.badRequest, "scope is gateway or all"))
        }
        GatewayTotals.gather(core, home: registry.executor, for: viewer) { totals in
            visit.send(visit.answer.json(200, totals.json))
        }
    }

    private func fleetStatistics(_ visit: Visit) {
        guard visit.isAdmin else {
            return visit.fail(
                StreamFailure(.unauthorized, "scope=all is answered by the admin listener"),
                status: 403
            )
        }
        let executor = registry.executor
        let now = executor.wallClock
        GatewayTotals.gather(core, home: executor, for: .everyone) { [core] totals in
            let stats = FleetStats(
                own: GatewayFigures(totals),
                id: core.fleet?.ownID ?? "",
                at: now
            )
            guard let fleet = core.fleet else {
                return visit.send(visit.answer.json(200, stats.json))
            }
            Task { [stats] in
                var stats = stats
                do {
                    stats.add(try await fleet.members())
                } catch {
                    stats.note(problem: "\(error)")
                }
                let body = stats.json
                executor.perform { visit.send(visit.answer.json(200, body)) }
            }
        }
    }

    func selftest(_ visit: Visit) {
        guard viewer(visit) != nil else { return }
        let source = SelftestSource(for: visit)
        var head = visit.answer.empty(200).head
        head.fields.append("Content-Type", "text/event-stream")
        head.fields.append("Cache-Control", "no-cache, no-transform")
        head.fields.append("X-Accel-Buffering", "no")
        source.begin(head)
    }

    func metrics(_ visit: Visit) {
        GatewayTotals.gather(core, home: registry.executor, for: .everyone) { [core] totals in
            var text = PrometheusText()
            totals.write(to: &text)
            core.contributeMetrics(&text)
            visit.send(visit.answer.text(text.bytes, type: PrometheusText.contentType))
        }
    }
}

func jsonString(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(jsonString: text)
    return bytes
}

func jsonArray(_ elements: [[UInt8]]) -> [UInt8] {
    [UInt8(ascii: "[")] + elements.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
}

extension StreamStatus {
    var json: [UInt8] {
        var json = JSONObjectWriter()
        json.add("id", id.text)
        json.add("account", account)
        json.add("model", model)
        json.add("provider", provider)
        json.add("state", state)
        json.add("ageMs", ageMilliseconds)
        return json.bytes
    }
}
