import Cryptography
import StreamBytes

/// The members of an offer, each at most once and each known.
struct SealFields {
    private static let names = [
        "mode", "nonce", "algorithms", "curve", "publicKey", "keyId", "compress", "pad",
    ]

    private let values: [String: JSONValue]

    init(_ text: Span<UInt8>) throws(SealOfferError) {
        guard text.count <= SealOffer.byteLimit else {
            throw SealOfferError("", "is longer than \(SealOffer.byteLimit) bytes")
        }
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONValue(parsing: text, depthLimit: 4)
        } catch {
            throw SealOfferError("", "is not valid JSON")
        }
        guard root.kind == .object else { throw SealOfferError("", "must be a JSON object") }
        var values: [String: JSONValue] = [:]
        for member in root.members(in: text) {
            let name = member.name.text(in: text)
            guard Self.names.contains(name) else {
                let known = Self.names.joined(separator: ", ")
                throw SealOfferError(String(name.prefix(40)), "is not known; known are \(known)")
            }
            guard values.updateValue(member.value, forKey: name) == nil else {
                throw SealOfferError(name, "is given twice")
            }
        }
        self.values = values
    }

    func agreement(in text: Span<UInt8>) throws(SealOfferError) -> SealOffer.Agreement {
        switch try string("mode", in: text) {
        case "hybrid":
            try refuse("keyId", with: "hybrid")
            return try hybrid(in: text)
        case "shared":
            for name in ["curve", "publicKey"] { try refuse(name, with: "shared") }
            guard let keyID = try string("keyId", in: text), !keyID.isEmpty,
                keyID.utf8.count <= SealOffer.keyIDLimit
            else { throw SealOfferError("keyId", "must be the id of a shared key") }
            return .shared(keyID: keyID)
        case "password":
            for name in ["curve", "publicKey", "keyId"] { try refuse(name, with: "password") }
            return .password
        default: throw SealOfferError("mode", "must be hybrid, shared or password")
        }
    }

    private func hybrid(in text: Span<UInt8>) throws(SealOfferError) -> SealOffer.Agreement {
        guard let name = try string("curve", in: text), let curve = AgreementCurve(name: name)
        else { throw SealOfferError("curve", "must be x25519 or p-256") }
        guard let publicKey = try bytes("publicKey", in: text),
            publicKey.count == curve.publicKeyByteCount
        else {
            throw SealOfferError(
                "publicKey",
                "must be \(curve.publicKeyByteCount) bytes in base64"
            )
        }
        return .hybrid(curve, publicKey: publicKey)
    }

    func algorithmNames(in text: Span<UInt8>) throws(SealOfferError) -> [String] {
        guard let value = value("algorithms") else { return [AEADAlgorithm.aes256GCM.name] }
        let elements = value.elements(in: text)
        let names = elements.compactMap { $0.text(in: text) }
        let isList = value.kind == .array && names.count == elements.count
        guard isList, (1...SealOffer.algorithmLimit).contains(names.count),
            // A comma joins them where both sides write them into their keys.
            names.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 40 && !$0.contains(",") })
        else {
            throw SealOfferError(
                "algorithms",
                "must be a list of 1 to \(SealOffer.algorithmLimit) names"
            )
        }
        return names
    }

    /// The bytes of a text in base64; nil if there is no such member.
    func bytes(_ name: String, in text: Span<UInt8>) throws(SealOfferError) -> [UInt8]? {
        guard let encoded = try string(name, in: text) else { return nil }
        guard let bytes = Base64.decode(encoded) else {
            throw SealOfferError(name, "must be base64, with + and / and padding")
        }
        return bytes
    }

    func bool(_ name: String, in text: Span<UInt8>) throws(SealOfferError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let bool = value.bool(in: text) else {
            throw SealOfferError(name, "must be true or false")
        }
        return bool
    }

    func integer(
        _ name: String,
        within range: ClosedRange<Int>,
        in text: Span<UInt8>
    ) throws(SealOfferError) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.integer(in: text), range.contains(Int(number)) else {
            throw SealOfferError(
                name,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return Int(number)
    }

    private func string(
        _ name: String,
        in text: Span<UInt8>
    ) throws(SealOfferError) -> String? {
        guard let value = value(name) else { return nil }
        guard let string = value.text(in: text) else {
            throw SealOfferError(name, "must be a string")
        }
        return string
    }

    /// Nil if the member is absent or null.
    private func value(_ name: String) -> JSONValue? {
        guard let value = values[name], value.kind != .null else { return nil }
        return value
    }

    private func refuse(_ name: String, with mode: String) throws(SealOfferError) {
        if value(name) != nil { throw SealOfferError(name, "does not go with the mode \(mode)") }
    }
}
