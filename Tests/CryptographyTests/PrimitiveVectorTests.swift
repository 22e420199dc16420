import Cryptography
import Foundation
import TestSupport
import Testing

/// The primitives against vectors that another implementation has made.
struct PrimitiveVectorTests {
    private struct Vectors: Decodable {
        struct Cipher: Decodable {
            let algorithm, key, nonce, associated, text, sealed: String
        }
        struct Derivation: Decodable { let secret, salt, info, key: String }
        struct Password: Decodable {
            let password, salt, key: String
            let rounds: Int
        }
        struct Agreement: Decodable { let curve, privateKey, publicKey, peer, secret: String }

        let ciphers: [Cipher]
        let derivations: [Derivation]
        let passwords: [Password]
        let agreements: [Agreement]
    }

    private let vectors: Vectors

    init() throws {
        let path = "\(repositoryRoot())/Tests/Fixtures/sealing/primitives.json"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        vectors = try JSONDecoder().decode(Vectors.self, from: data)
    }

    @Test(arguments: [true, false])
    func `both ciphers seal and open what the vectors say`(allowsHardware: Bool) throws {
        var cipher = AuthenticatedCipher(allowsHardware: allowsHardware)
        for vector in vectors.ciphers {
            let algorithm: AEADAlgorithm =
                vector.algorithm == "aes-256-gcm" ? .aes256GCM : .chaCha20Poly1305
            let key = try bytes(vector.key)
            let nonce = try bytes(vector.nonce)
            let associated = try bytes(vector.associated)
            let text = try bytes(vector.text)
            let sealed = try bytes(vector.sealed)

            var message = [7] + associated + [8] + text
            cipher.seal(
                &message,
                from: associated.count + 2,
                with: algorithm,
                key: key.span,
                nonce: nonce.span,
                authenticating: 1..<associated.count + 1
            )
            let opened = cipher.open(
                sealed.span,
                with: algorithm,
                key: key.span,
                nonce: nonce.span,
                authenticating: associated.span
            )

            #expect(message == [7] + associated + [8] + sealed)
            #expect(opened == text)
        }
        #expect(vectors.ciphers.count > 100)
    }

    @Test func `no changed bit and no cut byte is opened`() throws {
        var cipher = AuthenticatedCipher()
        for vector in vectors.ciphers where vector.text.count <= 64 {
            let algorithm: AEADAlgorithm =
                vector.algorithm == "aes-256-gcm" ? .aes256GCM : .chaCha20Poly1305
            let parts = try [vector.key, vector.nonce, vector.associated, vector.sealed].map(bytes)
            for (place, part) in parts.enumerated() {
                for bit in stride(from: 0, to: part.count * 8, by: 5) {
                    var changed = parts
                    changed[place][bit / 8] ^= 1 << UInt8(bit % 8)
                    #expect(open(changed, algorithm, &cipher) == nil)
                }
            }
            for count in 0..<parts[3].count {
                let cut = Array(parts[..<3]) + [Array(parts[3][..<count])]
                #expect(open(cut, algorithm, &cipher) == nil)
            }
            #expect(open(parts, algorithm, &cipher) != nil)
        }
    }

    private func open(
        _ parts: [[UInt8]],
        _ algorithm: AEADAlgorithm,
        _ cipher: inout AuthenticatedCipher
    ) -> [UInt8]? {
        let (key, nonce, associated, sealed) = (parts[0], parts[1], parts[2], parts[3])
        return cipher.open(
            sealed.span,
            with: algorithm,
            key: key.span,
            nonce: nonce.span,
            authenticating: associated.span
        )
    }

    @Test func `HKDF makes the keys of the vectors`() throws {
        for vector in vectors.derivations {
            let expected = try bytes(vector.key)
            let (secret, salt) = (try bytes(vector.secret), try bytes(vector.salt))
            let info = try bytes(vector.info)

            let key = SecretBytes(count: expected.count) { key in
                KeyDerivation.hkdf(secret.span, salt: salt.span, info: info.span, into: &key)
            }

            #expect(key == SecretBytes(expected.span))
        }
        #expect(vectors.derivations.count > 100)
    }

    @Test func `PBKDF2 makes the keys of the vectors`() throws {
        for vector in vectors.passwords {
            let password = Array(vector.password.utf8)
            let salt = try bytes(vector.salt)

            let key = KeyDerivation.pbkdf2(password.span, salt: salt.span, rounds: vector.rounds)

            #expect(key == (try secret(vector.key)))
        }
    }

    @Test func `both curves agree on the secrets of the vectors`() throws {
        for vector in vectors.agreements {
            let privateKey = try bytes(vector.privateKey)
            let curve: AgreementCurve = vector.curve == "x25519" ? .x25519 : .p256
            let key = try EphemeralKey(curve, privateKey: privateKey.span)
            let peer = try bytes(vector.peer)

            let publicKey = key.publicKey
            let agreed = try key.sharedSecret(with: peer.span)

            #expect(publicKey == (try bytes(vector.publicKey)))
            #expect(CompressedPublicKey(publicKey, on: curve).publicKey == publicKey)
            #expect(agreed == (try secret(vector.secret)))
        }
    }

    private func secret(_ hexadecimal: String) throws -> SecretBytes {
        let bytes = try bytes(hexadecimal)
        return SecretBytes(bytes.span)
    }

    private func bytes(_ hexadecimal: String) throws -> [UInt8] {
        try #require(Base16.decode(hexadecimal))
    }
}
