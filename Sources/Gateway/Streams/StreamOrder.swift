import Cryptography
import Dialects
import Sealing

/// How a stream's events are written for its clients.
enum ClientForm: Sendable {
    /// Weir's own events, which can be resumed.
    case weir
    /// OpenAI's chunks.
    case openAI(includesUsage: Bool)
    /// One JSON object at the end.
    case whole
}

/// Everything needed to start one stream: checked, priced and translated.
struct StreamOrder: Sendable {
    let caller: Caller
    let model: Model
    let target: RouteTarget
    /// The request as the provider gets it.
    let body: [UInt8]
    let form: ClientForm
    let user: String
    let purpose: String
    let requestID: String
    /// What the request asks to be read, for when the provider reports no tokens.
    let countedInput: InputCount
    /// How events are sealed; nil: they are not.
    var sealing: AEADAlgorithm?
    /// What was agreed with the client, until the stream takes it over.
    var session: SealingSession?

    /// Whether the provider speaks the client's own dialect, so that its JSON goes through.
    var passesThrough: Bool {
        if case .weir = form { return false }
        return target.dialect == .openAI
    }

    /// Whether a client that lost its connection may come back.
    var isResumable: Bool {
        if case .weir = form { return true }
        return false
    }
}
