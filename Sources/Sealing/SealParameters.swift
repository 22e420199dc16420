import Cryptography
import StreamBytes

/// What the gateway tells a client before the first sealed event of an attachment: the member
/// `seal` of a `start` or `seal` event.
struct SealParameters: Equatable {
    /// How the gateway did its part of the agreement.
    enum Agreement: Equatable {
        case hybrid(AgreementCurve, publicKey: [UInt8])
        case shared(keyID: String)
        case password(salt: [UInt8], rounds: Int)
    }

    static let version = 1
    /// What a client takes: less were too easy to guess, more would only keep it busy.
    static let roundRange = KeySchedule.passwordRounds...10_000_000

    var agreement: Agreement
    var algorithm: AEADAlgorithm
    /// The attachment's number, from 0.
    var attachment: UInt32
    var salt: [UInt8]

    /// What the gateway adds to the transcript of the agreement.
    var contribution: [UInt8] {
        switch agreement {
        case .hybrid(_, let publicKey): publicKey
        case .shared: []
        case .password(let salt, _): salt
        }
    }

    /// The data of the event that tells them.
    func eventData(stream: String, model: String) -> [UInt8] {
        var data: [UInt8] = []
        data.append(#"{"stream":"#)
        data.append(jsonString: stream)
        data.append(#","model":"#)
        data.append(jsonString: model)
        data.append(#","seal":{"version":"#)
        data.append(decimal: Int64(Self.version))
        data.append(#","algorithm":"#)
        data.append(jsonString: algorithm.name)
        data.append(#","attachment":"#)
        data.append(decimal: Int64(attachment))
        data.append(base64: "salt", salt)
        switch agreement {
        case .hybrid(let curve, let publicKey):
            data.append(#","mode":"hybrid","curve":"#)
            data.append(jsonString: curve.name)
            data.append(base64: "publicKey", publicKey)
        case .shared(let keyID):
            data.append(#","mode":"shared","keyId":"#)
            data.append(jsonString: keyID)
        case .password(let salt, let rounds):
            data.append(#","mode":"password","rounds":"#)
            data.append(decimal: Int64(rounds))
            data.append(base64: "passwordSalt", salt)
        }
        data.append("}}")
        return data
    }
}

extension [UInt8] {
    fileprivate mutating func append(base64 name: StaticString, _ bytes: [UInt8]) {
        append(",\"")
        append(name)
        append("\":\"")
        Base64.append(bytes.span, to: &self)
        append("\"")
    }
}
