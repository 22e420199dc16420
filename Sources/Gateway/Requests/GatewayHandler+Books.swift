import Dialects
import HTTPServer
import StreamBytes

extension GatewayHandler {
    /// `GET /api/usage`: a caller's own account; on the admin listener any, or all.
    func usage(_ visit: Visit) {
        guard let viewer = viewer(visit) else { return }
        let parameters = visit.query
        guard case .caller(let caller) = viewer else {
            return answer(visit) { await $0.usage(parameters, of: nil) }
        }
        if let account = parameters["account"], account != caller.account {
            return refuseOthers(visit)
        }
        answer(visit) { await $0.usage(parameters, of: caller.account) }
    }

    /// `GET /api/billing/accounts/{id}/periods/{yyyy-mm}`.
    func billingPeriod(_ visit: Visit, account: String, period: String) {
        guard let viewer = viewer(visit) else { return }
        if case .caller(let caller) = viewer, caller.account != account {
            return refuseOthers(visit)
        }
        answer(visit) { await $0.period(period, of: account) }
    }

    private func refuseOthers(_ visit: Visit) {
        visit.fail(
            StreamFailure(.unauthorized, "the key is another account's than the one asked for"),
            status: 403
        )
    }

    private func answer(
        _ visit: Visit,
        _ question: @escaping @Sendable (any AccountBooks) async -> BooksAnswer
    ) {
        guard let books = core.books else {
            return visit.fail(StreamFailure(.internal, "there is no ledger here"), status: 503)
        }
        let executor = registry.executor
        Task {
            let answer = await question(books)
            executor.perform { Self.send(answer, visit) }
        }
    }

    private static func send(_ answer: BooksAnswer, _ visit: Visit) {
        switch answer {
        case .found(let json): visit.send(visit.answer.json(200, json))
        case .refused(let reason): visit.fail(StreamFailure(.badRequest, reason))
        case .missing(let reason): visit.fail(StreamFailure(.badRequest, reason), status: 404)
        case .unavailable(let reason):
            visit.fail(StreamFailure(.internal, reason), status: 503)
        }
    }
}
