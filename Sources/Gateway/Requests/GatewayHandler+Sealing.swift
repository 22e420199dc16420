import Cryptography
import Dialects
import Reactor
import Sealing
import StreamBytes

extension GatewayHandler {
    /// What a client that wants its answer sealed offers; nil for one that does not.
    ///
    /// - Throws: a `bad_request` that names the member of the offer.
    func offer(
        _ visit: Visit,
        _ request: ChatRequest,
        form: ClientForm
    ) throws(StreamFailure) -> SealOffer? {
        let texts = (request.seal.map { [$0] } ?? []) + visit.sealFields.map { Array($0.utf8) }
        guard let text = texts.first else { return nil }
        guard texts.count == 1 else {
            throw StreamFailure(.badRequest, "seal is given twice", param: "seal")
        }
        if case .whole = form {
            throw StreamFailure(
                .badRequest,
                "seal goes with a stream only: set stream to true",
                param: "seal"
            )
        }
        do throws(SealOfferError) {
            return try SealOffer(parsing: text.span)
        } catch {
            throw StreamFailure(error)
        }
    }

    /// Agrees with the client on a secret, where it offers to, and goes on with the order.
    ///
    /// - Parameters:
    ///   - visit: is answered when that fails.
    ///   - order: gets the agreement.
    ///   - offer: the client's; nil: nothing is sealed.
    ///   - proceed: called on this reactor, at once or when the account's password has become a
    ///     key.
    /// - Throws: why the offer cannot be served, or what `proceed` throws when it is called at once.
    func agree(
        _ visit: Visit,
        _ order: StreamOrder,
        _ offer: SealOffer?,
        then proceed: @escaping @Sendable (StreamOrder) throws(StreamFailure) -> Void
    ) throws(StreamFailure) {
        guard let offer else { return try proceed(order) }
        let pad = visit.settings.sealing.pad
        switch offer.agreement {
        case .hybrid:
            try proceed(order.sealed(by: try Self.agree(hybrid: offer, pad: pad)))
        case .shared(let id):
            guard let key = visit.settings.sealing.keys[id], key.account == order.caller.account
            else { throw StreamFailure(SealOfferError("keyId", "must be the id of a shared key")) }
            try proceed(order.sealed(by: SealingSession(shared: offer, key, pad: pad)))
        case .password:
            guard let password = visit.settings.sealing.passwords[order.caller.account] else {
                throw StreamFailure(SealOfferError("mode", "cannot be password for this account"))
            }
            agree(visit, order, offer, password, then: proceed)
        }
    }

    private static func agree(
        hybrid offer: SealOffer,
        pad: Int
    ) throws(StreamFailure) -> SealingSession {
        guard case .hybrid(let curve, _) = offer.agreement else {
            preconditionFailure("the offer is for a hybrid agreement")
        }
        do throws(KeyAgreementError) {
            return try SealingSession(hybrid: offer, try EphemeralKey(curve), pad: pad)
        } catch {
            switch error {
            case .badPublicKey:
                throw StreamFailure(SealOfferError("publicKey", "must be a point of the curve"))
            case .noRandomness: throw StreamFailure(.internal, "there is no randomness")
            }
        }
    }

    private func agree(
        _ visit: Visit,
        _ order: StreamOrder,
        _ offer: SealOffer,
        _ password: SecretBytes,
        then proceed: @escaping @Sendable (StreamOrder) throws(StreamFailure) -> Void
    ) {
        let executor = registry.executor
        core.passwordKeys.key(of: order.caller.account, password, at: executor.now) { [self] key in
            let goOn: @Sendable () -> Void = { [self] in
                do throws(StreamFailure) {
                    guard let key else {
                        throw StreamFailure(.overloaded, "too many passwords wait to become keys")
                    }
                    let pad = visit.settings.sealing.pad
                    try proceed(order.sealed(by: SealingSession(password: offer, key, pad: pad)))
                } catch {
                    refuse(visit, error)
                }
            }
            if executor.isCurrent { goOn() } else { executor.perform(goOn) }
        }
    }
}

extension StreamOrder {
    fileprivate func sealed(by session: SealingSession) -> StreamOrder {
        var order = self
        order.sealing = session.algorithm
        order.session = session
        return order
    }
}

extension StreamFailure {
    fileprivate init(_ error: SealOfferError) {
        let field = error.field.isEmpty ? "seal" : "seal.\(error.field)"
        self.init(.badRequest, "\(field) \(error.reason)", param: field)
    }
}

extension Visit {
    /// The offers in the request's head.
    var sealFields: [String] { head.fields.values("weir-seal") }
}
