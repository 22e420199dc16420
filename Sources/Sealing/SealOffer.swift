import Cryptography
import StreamBytes

/// What a client asks for that wants its answer sealed: the value of `seal` in a request, or of the
/// field `Weir-Seal`.
///
/// Form: a JSON object, as the page on sealed streams says.
package struct SealOffer: Equatable, Sendable {
    /// How both sides come to a secret.
    package enum Agreement: Equatable, Sendable {
        /// Each side sends a public key that serves once.
        case hybrid(AgreementCurve, publicKey: [UInt8])
        /// Both sides know a key of that id.
        case shared(keyID: String)
        /// Both sides know the account's password.
        case password
    }

    /// The longest text of an offer, in bytes.
    package static let byteLimit = 2_048
    package static let nonceByteCounts = 16...64
    /// The largest bucket, in bytes.
    package static let padLimit = 4_096
    static let keyIDLimit = 64
    static let algorithmLimit = 8

    package let agreement: Agreement
    /// Random bytes of the client, so that no recorded answer fits a later question.
    package let nonce: [UInt8]
    /// As the client lists them, the one it likes best first.
    package let algorithmNames: [String]
    /// The first of the list that is known here.
    package let algorithm: AEADAlgorithm
    /// Whether contents may be compressed before they are sealed.
    package let compresses: Bool
    /// Texts are padded to a multiple of so many bytes; 0: they are not.
    package let pad: Int

    /// Makes an offer, as a client does.
    ///
    /// - Parameters:
    ///   - agreement: how to come to a secret.
    ///   - nonce: fresh random bytes, as many as `nonceByteCounts` allows.
    ///   - algorithms: what the client knows, the one it likes best first; at least one.
    ///   - compresses: whether contents may be compressed.
    ///   - pad: the size of the buckets; at most `padLimit`.
    package init(
        _ agreement: Agreement,
        nonce: [UInt8],
        algorithms: [AEADAlgorithm] = [.aes256GCM],
        compresses: Bool = false,
        pad: Int = 0
    ) {
        precondition(Self.nonceByteCounts.contains(nonce.count), "a nonce has 16 to 64 bytes")
        guard let first = algorithms.first else { preconditionFailure("there is an algorithm") }
        self.agreement = agreement
        self.nonce = nonce
        algorithmNames = algorithms.map(\.name)
        algorithm = first
        self.compresses = compresses
        self.pad = pad
    }

    /// Reads an offer.
    ///
    /// - Parameter text: JSON.
    /// - Throws: `SealOfferError`.
    package init(parsing text: Span<UInt8>) throws(SealOfferError) {
        let fields = try SealFields(text)
        agreement = try fields.agreement(in: text)
        let nonce = try fields.bytes("nonce", in: text)
        guard let nonce, Self.nonceByteCounts.contains(nonce.count) else {
            throw SealOfferError("nonce", "must be 16 to 64 random bytes in base64")
        }
        self.nonce = nonce
        algorithmNames = try fields.algorithmNames(in: text)
        guard let known = algorithmNames.lazy.compactMap({ AEADAlgorithm(name: $0) }).first else {
            let names = AEADAlgorithm.allCases.map(\.name).joined(separator: " or ")
            throw SealOfferError("algorithms", "must name \(names)")
        }
        algorithm = known
        compresses = try fields.bool("compress", in: text) ?? false
        pad = try fields.integer("pad", within: 0...Self.padLimit, in: text) ?? 0
    }

    /// The offer's JSON text.
    package var text: [UInt8] {
        var output: [UInt8] = []
        output.append(#"{"mode":"#)
        output.append(jsonString: agreement.mode)
        output.append(#","nonce":""#)
        Base64.append(nonce.span, to: &output)
        output.append(#"","algorithms":["#)
        for (index, name) in algorithmNames.enumerated() {
            if index > 0 { output.append(",") }
            output.append(jsonString: name)
        }
        output.append("]")
        switch agreement {
        case .hybrid(let curve, let publicKey):
            output.append(#","curve":"#)
            output.append(jsonString: curve.name)
            output.append(#","publicKey":""#)
            Base64.append(publicKey.span, to: &output)
            output.append("\"")
        case .shared(let keyID):
            output.append(#","keyId":"#)
            output.append(jsonString: keyID)
        case .password: break
        }
        if compresses { output.append(#","compress":true"#) }
        if pad > 0 {
            output.append(#","pad":"#)
            output.append(decimal: Int64(pad))
        }
        output.append("}")
        return output
    }

    /// The offer as both sides put it into their keys, whatever its text looked like.
    var transcript: [UInt8] {
        var output: [UInt8] = []
        output.append(lengthPrefixed: agreement.mode)
        output.append(lengthPrefixed: nonce.span)
        output.append(lengthPrefixed: algorithmNames.joined(separator: ","))
        switch agreement {
        case .hybrid(let curve, let publicKey):
            output.append(lengthPrefixed: curve.name)
            output.append(lengthPrefixed: publicKey.span)
        case .shared(let keyID):
            output.append(lengthPrefixed: keyID)
            output.append(lengthPrefixed: "")
        case .password:
            output.append(lengthPrefixed: "")
            output.append(lengthPrefixed: "")
        }
        output.append(lengthPrefixed: compresses ? "deflate" : "")
        output.append(lengthPrefixed: String(pad))
        return output
    }
}

extension SealOffer.Agreement {
    var mode: String {
        switch self {
        case .hybrid: "hybrid"
        case .shared: "shared"
        case .password: "password"
        }
    }
}

/// What is wrong with an offer.
package struct SealOfferError: Error, Equatable, Sendable {
    /// The field of the offer; empty: the offer as a whole.
    package let field: String
    /// What it must be: a predicate.
    package let reason: String

    package init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }
}
