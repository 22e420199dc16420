import Dialects
import Metering

/// How a stream ended, once that is decided.
enum StreamOutcome: Sendable {
    case complete(FinishReason)
    indirect case failed(StreamFailure)

    /// The reason in the final meter record when the end reached a client.
    var stretchEnd: StretchEnd {
        switch self {
        case .complete(.cancelled): .cancelled
        case .complete(.lifetime): .lifetime
        case .complete(.drain): .drain
        case .complete(.budget): .budget
        case .complete: .complete
        case .failed: .providerError
        }
    }

    /// Whether the gateway ended the answer before the provider did.
    var isForced: Bool {
        switch self {
        case .complete(let reason): [.cancelled, .lifetime, .drain, .budget].contains(reason)
        case .failed: false
        }
    }
}
