import Cryptography
import Foundation
import Sealing
import StreamBytes
import TestSupport
import Testing

/// Whole sealed streams that another implementation has made.
struct StreamVectors: Decodable {
    struct Case: Decodable, CustomStringConvertible {
        struct Attachment: Decodable {
            let salt, parameters: String
            let records: [Record]
        }
        struct Record: Decodable {
            let name, content, payload: String
            let sequence: UInt64
            let epoch: UInt32
            let deflated: String?

            /// The bytes that were sealed.
            func sealedContent() throws -> [UInt8] {
                try deflated.map { try #require(Base16.decode($0)) } ?? Array(content.utf8)
            }
        }

        let name, mode, nonce, offer, secret: String
        let algorithms: [String]
        let compress: Bool
        let pad: Int
        let attachments: [Attachment]
        let clientPrivateKey, gatewayPrivateKey, curve, keyId, sharedKey, password: String?
        let passwordSalt: String?

        var description: String { name }
    }

    let stream, model: String
    let cases: [Case]

    static func read() throws -> StreamVectors {
        let path = "\(repositoryRoot())/Tests/Fixtures/sealing/streams.json"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try JSONDecoder().decode(StreamVectors.self, from: data)
    }
}

extension StreamVectors.Case {
    /// The client of the case, which offers what it did.
    func client() throws -> SealingClient {
        let offer = { [self] (agreement: SealOffer.Agreement) in
            SealOffer(
                agreement,
                nonce: Base16.decode(nonce) ?? [],
                algorithms: algorithms.compactMap { AEADAlgorithm(name: $0) },
                compresses: compress,
                pad: pad
            )
        }
        switch mode {
        case "hybrid":
            let curve = try #require(AgreementCurve(name: curve ?? ""))
            let privateKey = try bytes(clientPrivateKey)
            let key = try EphemeralKey(curve, privateKey: privateKey.span)
            return SealingClient(key, offer: offer)
        case "shared":
            let bytes = try bytes(sharedKey)
            let key = SecretBytes(bytes.span)
            return SealingClient(sharedKey: key, id: keyId ?? "", offer: offer)
        default:
            let password = Array((password ?? "").utf8)
            return SealingClient(password: SecretBytes(password.span), offer: offer)
        }
    }

    func bytes(_ hexadecimal: String?) throws -> [UInt8] {
        try #require(hexadecimal.flatMap { Base16.decode($0) })
    }
}
