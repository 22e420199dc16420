import Compression
import HTTPWire

/// A body on its way through a content coding.
final class CodedBody {
    let coding: ContentCoding
    let kind: BodyKind
    let encoder: any BodyEncoder

    init(_ coding: ContentCoding, _ kind: BodyKind, _ encoder: any BodyEncoder) {
        self.coding = coding
        self.kind = kind
        self.encoder = encoder
    }
}

/// The coding of one response, from the request to the head and on.
enum ResponseCoding {
    /// The head is not out yet.
    case undecided(AcceptedCodings)
    case identity
    case coded(CodedBody)

    var accepted: AcceptedCodings {
        if case .undecided(let accepted) = self { return accepted }
        return .none
    }

    var body: CodedBody? {
        if case .coded(let body) = self { return body }
        return nil
    }
}
