import Dialects
import HTTPServer
import HTTPWire
import Reactor
import Sealing
import StreamBytes

// MARK: - Starting

extension GatewayHandler {
    func chat(_ visit: Visit) {
        guard let caller = caller(visit) else { return }
        begin(visit, visit.request.body, for: caller) { request in
            request.streams ? .openAI(includesUsage: request.includesUsage) : .whole
        }
    }

    func postStream(_ visit: Visit) {
        guard let caller = caller(visit) else { return }
        begin(visit, visit.request.body, for: caller) { _ in .weir }
    }

    func getStream(_ visit: Visit) {
        if visit.head.method == "HEAD" { return visit.send(visit.headOfStream) }
        if let token = visit.query["token"] { return useToken(visit, token) }
        guard let caller = caller(visit) else { return }
        if let place = visit.lastEventID {
            return continueStream(visit, place, for: .caller(caller))
        }
        guard let model = visit.query["model"], let prompt = visit.query["prompt"] else {
            return visit.fail(
                StreamFailure(.badRequest, "the parameters model and prompt are needed")
            )
        }
        let body = ChatRequest.body(model: model, prompt: prompt)
        begin(visit, body, for: caller) { _ in .weir }
    }

    private func begin(
        _ visit: Visit,
        _ body: [UInt8],
        for caller: Caller,
        form: (ChatRequest) -> ClientForm
    ) {
        do throws(StreamFailure) {
            let (order, offer) = try order(visit, body, for: caller, form: form)
            try agree(visit, order, offer) { [self] order throws(StreamFailure) in
                try start(order, for: visit)
            }
        } catch {
            refuse(visit, error)
        }
    }

    /// Opens a stream; the client hears of everything that follows through it.
    ///
    /// - Returns: its id.
    @discardableResult
    func start(_ order: StreamOrder, for visit: Visit) throws(StreamFailure) -> StreamID {
        guard visit.rules.maySpend(visit.head) else {
            throw StreamFailure(
                .unauthorized,
                "pages of this origin may not use the gateway; see cors.origins"
            )
        }
        if core.isDraining { throw StreamFailure(.overloaded, "the gateway is shutting down") }
        if let reason = core.meter.refusal { throw StreamFailure(.overloaded, reason) }
        guard core.openStream(limit: visit.settings.streamLimit) else {
            throw StreamFailure(.overloaded, "too many streams are open")
        }
        guard let generation = Generation.open(order, core: core, registry: registry) else {
            core.closeStream()
            throw StreamFailure(.overloaded, "all meter slots are taken")
        }
        generation.start(for: visit.streamClient)
        return generation.id
    }

    /// Reads, checks and translates a request, and reads the offer to seal its answer, if any.
    func order(
        _ visit: Visit,
        _ body: [UInt8],
        for caller: Caller,
        form: (ChatRequest) -> ClientForm
    ) throws(StreamFailure) -> (StreamOrder, SealOffer?) {
        let request = try parsed(body)
        guard let model = visit.settings.models[request.model], let target = model.route.first
        else {
            throw StreamFailure(
                .modelNotFound,
                "the model \(request.model.prefix(100)) is not served here",
                param: "model"
            )
        }
        let purpose = request.purpose.isEmpty ? visit.purpose ?? "" : request.purpose
        for (name, value) in [("user", request.user), ("purpose", purpose)]
        where value.utf8.count > Self.labelByteLimit {
            throw StreamFailure(
                .badRequest,
                "\(name) is longer than \(Self.labelByteLimit) bytes",
                param: name
            )
        }
        let draft = StreamOrder(
            caller: caller,
            model: model,
            target: target,
            body: [],
            form: form(request),
            user: request.user,
            purpose: purpose,
            requestID: visit.requestID,
            countedInput: request.input
        )
        let offer = try offer(visit, request, form: draft.form)
        return (try draft.translating(request), offer)
    }

    /// The longest `user` and `purpose`, in bytes: they stand in every record of a stream.
    private static let labelByteLimit = 256

    private func parsed(_ body: [UInt8]) throws(StreamFailure) -> ChatRequest {
        do throws(ChatRequestError) {
            return try ChatRequest(parsing: body)
        } catch {
            throw StreamFailure(error)
        }
    }

    func refuse(_ visit: Visit, _ failure: StreamFailure) {
        let isForbidden = failure.code == .unauthorized
        registry.count { $0.refusals[failure.code.rawValue, default: 0] += 1 }
        // A native EventSource never comes back after another status than 200.
        if failure.code == .overloaded, visit.head.method == "GET", visit.acceptsEventStream {
            return visit.send(visit.comeBackLater)
        }
        visit.fail(failure, status: isForbidden ? 403 : nil)
    }
}

// MARK: - Tokens

extension GatewayHandler {
    private static let tokenLife = Duration.seconds(60)

    func makeToken(_ visit: Visit) {
        guard let caller = caller(visit) else { return }
        do throws(StreamFailure) {
            let (order, offer) = try order(visit, visit.request.body, for: caller) { _ in .weir }
            try agree(visit, order, offer) { [self] order throws(StreamFailure) in
                try keep(order, for: visit)
            }
        } catch {
            refuse(visit, error)
        }
    }

    private func keep(_ order: StreamOrder, for visit: Visit) throws(StreamFailure) {
        let executor = registry.executor
        let index = String(executor.index, radix: 36)
        let token = "t\(index)-\(randomText(32, from: executor))"
        guard registry.keep(order, under: token, for: Self.tokenLife) else {
            throw StreamFailure(.overloaded, "too many tokens wait to be used")
        }
        visit.send(visit.answer.json(200, tokenBody(token)))
    }

    private func tokenBody(_ token: String) -> [UInt8] {
        var body: [UInt8] = []
        body.append(#"{"token":""#)
        body.append(contentsOf: token.utf8)
        body.append(#"","url":"/api/stream?token="#)
        body.append(contentsOf: token.utf8)
        body.append(#"","expiresIn":"#)
        body.append(decimal: Self.tokenLife.wholeMilliseconds / 1_000)
        body.append("}")
        return body
    }

    private func useToken(_ visit: Visit, _ token: String) {
        guard let home = reactorIndex(in: token, prefix: "t", separator: "-"),
            core.registries.indices.contains(home)
        else { return refuseToken(visit) }
        guard home == registry.executor.index else { return move(visit, to: home) }
        switch registry.use(of: token) {
        case nil: refuseToken(visit)
        case .start(let order): startByToken(visit, token, order)
        case .resume(let id, let caller):
            guard let place = visit.lastEventID else {
                // The first answer was lost before its first event: the stream is told from its start.
                return continueStream(visit, "\(id.text).0", for: .caller(caller))
            }
            guard place == "gone" || EventID(place)?.stream == id else {
                return refuseToken(visit)
            }
            continueStream(visit, place, for: .caller(caller))
        }
    }

    private func startByToken(_ visit: Visit, _ token: String, _ order: StreamOrder) {
        // A GET that names a place never starts anything.
        if visit.lastEventID != nil { return refuseToken(visit) }
        do throws(StreamFailure) {
            let id = try start(order, for: visit)
            let streams = visit.settings.streams
            registry.bind(
                token,
                to: id,
                of: order.caller,
                for: streams.lifetime + streams.resumeWindow
            )
        } catch {
            refuse(visit, error)
        }
    }

    private func refuseToken(_ visit: Visit) {
        registry.count { $0.refusals["token", default: 0] += 1 }
        visit.fail(StreamFailure(.unauthorized, "the token is not valid, or no longer"))
    }
}

// MARK: - Coming back

extension GatewayHandler {
    func resumeStream(_ visit: Visit, _ name: String) {
        guard let viewer = viewer(visit) else { return }
        let place = visit.lastEventID ?? "0"
        let text = UInt64(place) != nil ? "\(name).\(place)" : place
        guard place == "gone" || EventID(text)?.stream.text == name else {
            return visit.fail(
                StreamFailure(.badRequest, "the place to continue from is not of this stream")
            )
        }
        continueStream(visit, text, for: viewer)
    }

    /// Continues the stream that `place` names; never starts one.
    private func continueStream(_ visit: Visit, _ place: String, for viewer: Viewer) {
        if visit.head.method == "HEAD" { return visit.send(visit.headOfStream) }
        if place == "gone" { return visit.send(visit.answer.empty(204)) }
        guard visit.sealFields.isEmpty else {
            return visit.fail(
                StreamFailure(
                    .badRequest,
                    "Weir-Seal starts a stream; one that is resumed is sealed as it was begun",
                    param: "seal"
                )
            )
        }
        guard let place = EventID(place), core.registries.indices.contains(place.stream.reactor)
        else { return visit.send(visit.gone) }
        guard place.stream.reactor == registry.executor.index else {
            return move(visit, to: place.stream.reactor)
        }
        guard let generation = registry.generation(place.stream), viewer.maySee(generation.order),
            generation.order.isResumable, generation.takesClients
        else { return visit.send(visit.gone) }
        if !generation.resume(visit.streamClient, after: place.sequence) {
            visit.send(visit.answer.empty(204))
        }
    }

    func cancelStream(_ visit: Visit, _ name: String) {
        find(visit, name) { generation in
            generation.end(.cancelled)
            visit.send(visit.answer.empty(204))
        }
    }

    func streamMetrics(_ visit: Visit, _ name: String) {
        guard let period = visit.period else {
            return visit.fail(
                StreamFailure(.badRequest, "period is a number of seconds, such as 60s")
            )
        }
        find(visit, name) { visit.send(visit.answer.json(200, $0.metricsBody(period: period))) }
    }

    /// Finds a stream that the request may see, on its own reactor, or answers 404.
    private func find(_ visit: Visit, _ name: String, then act: (Generation) -> Void) {
        guard let viewer = viewer(visit) else { return }
        let unknown = StreamFailure(.streamGone, "there is no stream of that name")
        guard let id = StreamID(name), core.registries.indices.contains(id.reactor) else {
            return visit.fail(unknown)
        }
        guard id.reactor == registry.executor.index else { return move(visit, to: id.reactor) }
        guard let generation = registry.generation(id), viewer.maySee(generation.order) else {
            return visit.fail(unknown)
        }
        act(generation)
    }

    private func move(_ visit: Visit, to reactor: Int) {
        visit.exchange.move(
            to: core.registries[reactor].executor,
            handler: GatewayHandler(core: core, reactor: reactor, isAdmin: isAdmin)
        )
    }
}

extension StreamOrder {
    /// The order with its body in the provider's dialect.
    fileprivate func translating(_ request: ChatRequest) throws(StreamFailure) -> StreamOrder {
        do throws(ChatRequestError) {
            let body = try request.body(
                for: target.dialect,
                model: target.model,
                streams: !isWholePassedThrough,
                asksForUsage: target.includesUsage
            )
            return StreamOrder(
                caller: caller,
                model: model,
                target: target,
                body: body,
                form: form,
                user: user,
                purpose: purpose,
                requestID: requestID,
                countedInput: countedInput
            )
        } catch {
            throw StreamFailure(error)
        }
    }
}

extension StreamFailure {
    fileprivate init(_ error: ChatRequestError) {
        self.init(.badRequest, error.message, param: error.param)
    }
}

extension Visit {
    /// What an answer of events says of itself.
    fileprivate var headOfStream: HTTPResponse {
        HTTPResponse(head: ResponseHead(status: 200, fields: eventStreamFields), body: [])
    }

    private var eventStreamFields: HeaderFields {
        var fields = answer.fields
        fields.append("Content-Type", "text/event-stream")
        fields.append("Cache-Control", "no-cache, no-transform")
        fields.append("X-Accel-Buffering", "no")
        return fields
    }

    /// The stream is not known any more; the reconnect that follows carries `gone`.
    fileprivate var gone: HTTPResponse {
        var body: [UInt8] = []
        body.append("id: gone\nevent: error\ndata: ")
        body.append(#"{"code":"stream_gone","message":"the stream is not known any more","#)
        body.append(#""retryable":false}"#)
        body.append("\n\n")
        return HTTPResponse(head: ResponseHead(status: 200, fields: eventStreamFields), body: body)
    }

    /// For an `EventSource` that must come back by itself.
    fileprivate var comeBackLater: HTTPResponse {
        let milliseconds = 2_000 + exchange.executor.randomBits() % 2_001
        var body: [UInt8] = []
        body.append("retry: ")
        body.append(decimal: Int64(milliseconds))
        body.append("\n\n")
        var response = HTTPResponse(
            head: ResponseHead(status: 200, fields: eventStreamFields),
            body: body
        )
        response.closesConnection = true
        return response
    }

    /// The span that was asked for; nil when it cannot be read.
    fileprivate var period: Duration? {
        guard let text = query["period"] else { return .seconds(60) }
        let digits = text.hasSuffix("s") ? text.dropLast() : text[...]
        return UInt32(digits).flatMap { $0 > 0 ? .seconds(Int64($0)) : nil }
    }

    fileprivate var purpose: String? { query["purpose"] ?? head.fields.first("weir-purpose") }
}
