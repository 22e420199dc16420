import Cryptography
import StreamBytes

/// What a client reads out of the data of a `start` or `seal` event.
struct ToldParameters {
    let stream: String
    let parameters: SealParameters

    /// Nil if the data, JSON, tell no parameters of this version.
    init?(_ data: Span<UInt8>) {
        guard let root = try? JSONValue(parsing: data, depthLimit: 8),
            let stream = root.member("stream", in: data)?.text(in: data), !stream.isEmpty,
            let seal = root.member("seal", in: data),
            seal.member("version", in: data)?.integer(in: data) == Int64(SealParameters.version),
            let algorithm = AEADAlgorithm(name: Self.text("algorithm", of: seal, in: data)),
            let attachment = seal.member("attachment", in: data)?.integer(in: data),
            let number = UInt32(exactly: attachment),
            let salt = Self.bytes("salt", of: seal, in: data),
            salt.count == KeySchedule.saltByteCount,
            let agreement = Self.agreement(seal, in: data)
        else { return nil }
        self.stream = stream
        parameters = SealParameters(
            agreement: agreement,
            algorithm: algorithm,
            attachment: number,
            salt: salt
        )
    }

    private static func agreement(
        _ seal: JSONValue,
        in data: Span<UInt8>
    ) -> SealParameters.Agreement? {
        switch text("mode", of: seal, in: data) {
        case "hybrid":
            guard let curve = AgreementCurve(name: text("curve", of: seal, in: data)),
                let publicKey = bytes("publicKey", of: seal, in: data)
            else { return nil }
            return .hybrid(curve, publicKey: publicKey)
        case "shared": return .shared(keyID: text("keyId", of: seal, in: data))
        case "password":
            guard let salt = bytes("passwordSalt", of: seal, in: data),
                let rounds = seal.member("rounds", in: data)?.integer(in: data)
            else { return nil }
            return .password(salt: salt, rounds: Int(rounds))
        default: return nil
        }
    }

    private static func text(
        _ name: StaticString,
        of seal: JSONValue,
        in data: Span<UInt8>
    ) -> String { seal.member(name, in: data)?.text(in: data) ?? "" }

    private static func bytes(
        _ name: StaticString,
        of seal: JSONValue,
        in data: Span<UInt8>
    ) -> [UInt8]? {
        seal.member(name, in: data)?.text(in: data).flatMap { Base64.decode($0) }
    }
}
