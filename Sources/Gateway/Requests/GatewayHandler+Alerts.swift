import Alerting
import Dialects
import HTTPServer
import Metering
import StreamBytes

extension GatewayHandler {
    /// `GET /api/alerts`: what a caller's account was alerted of, the newest first; on the admin
    /// listener everything.
    func alerts(_ visit: Visit) {
        guard let viewer = viewer(visit) else { return }
        let query: AlertQuery
        do throws(StreamFailure) {
            query = try alertQuery(visit, for: viewer)
        } catch {
            return visit.fail(error)
        }
        answer(visit, query)
    }

    private func alertQuery(
        _ visit: Visit,
        for viewer: Viewer
    ) throws(StreamFailure) -> AlertQuery {
        var query = AlertQuery()
        query.account = visit.query["account"]
        if case .caller(let caller) = viewer {
            guard query.account == nil || query.account == caller.account else {
                throw StreamFailure(.badRequest, "account is another than the key's")
            }
            query.account = caller.account
        }
        query.limit = visit.query["limit"].map { Int($0) ?? 0 } ?? query.limit
        guard (1...1_000).contains(query.limit) else {
            throw StreamFailure(.badRequest, "limit is a number from 1 to 1000")
        }
        query.before = try visit.query["after"].map { (text) throws(StreamFailure) in
            guard let cursor = AlertCursor(text) else {
                throw StreamFailure(.badRequest, "after is what an earlier answer calls next")
            }
            return cursor
        }
        query.rule = visit.query["rule"]
        query.severity = try visit.query["severity"].map { (text) throws(StreamFailure) in
            guard let severity = AlertSeverity(rawValue: text) else {
                let names = AlertSeverity.allCases.map(\.rawValue).joined(separator: ", ")
                throw StreamFailure(.badRequest, "severity is one of \(names)")
            }
            return severity
        }
        switch visit.query["state"] {
        case nil, "all": break
        case "open": query.onlyOpen = true
        default: throw StreamFailure(.badRequest, "state is open or all")
        }
        return query
    }

    private func answer(_ visit: Visit, _ query: AlertQuery) {
        let executor = registry.executor
        Task { [core] in
            let page: AlertPage
            do throws(AlertStoreError) {
                page = try await core.alerts?.alerts(query) ?? AlertPage([])
            } catch {
                page = AlertPage([], problem: error.reason)
            }
            executor.perform { visit.send(visit.answer.json(200, page.json(query))) }
        }
    }
}

extension AlertPage {
    fileprivate func json(_ query: AlertQuery) -> [UInt8] {
        var json = JSONObjectWriter()
        json.add("alerts", raw: jsonArray(alerts.map(\.json)))
        if alerts.count == query.limit, let next = AlertCursor(after: alerts, before: query.before)
        {
            json.add("next", next.text)
        }
        // Its words are the operator's: they may name hosts and files.
        if problem != nil {
            json.add("problem", "the ledger is away or busy: older alerts are not shown")
        }
        return json.bytes
    }
}

extension Alert {
    fileprivate var json: [UInt8] {
        var json = JSONObjectWriter()
        json.add("rule", key.rule)
        json.add("severity", severity.rawValue)
        json.add("account", raw: key.account.isEmpty ? Array("null".utf8) : jsonString(key.account))
        json.add("subject", raw: key.subject.isEmpty ? Array("null".utf8) : jsonString(key.subject))
        json.add("limit", limitText)
        json.add("message", message)
        json.add("raisedAt", raisedAt.text)
        json.add("clearedAt", raw: clearedAt.map { jsonString($0.text) } ?? Array("null".utf8))
        return json.bytes
    }

    private var limitText: String {
        guard let signal = AlertSignal(rawValue: key.rule), let limit = Int64(key.limit) else {
            return key.limit
        }
        return signal.text(limit)
    }
}
