import Cryptography

/// How answers are sealed for clients that ask for it.
package struct SealingConfiguration: Equatable, Sendable {
    /// Keys that clients know, too.
    package var keys: [SealingKeyConfiguration] = []
    package var rotate = SealRotationConfiguration()
    /// Texts are padded to a multiple of so many bytes; 0: only where a client asks for it.
    package var pad = 0

    package init() {}
}

/// A key that the gateway shares with an account's clients.
package struct SealingKeyConfiguration: Equatable, Sendable {
    /// What clients call it.
    package var id = ""
    /// The id of the account whose streams it may seal.
    package var account = ""
    /// 32 bytes and more, in base64.
    package var key: Secret?
    /// A file that holds the same; read when the configuration is.
    package var keyFile: String?

    package init() {}

    /// The bytes; nil if there is no key.
    var bytes: SecretBytes? {
        guard let key, var bytes = Base64.decode(key.revealed) else { return nil }
        defer { wipe(&bytes) }
        return SecretBytes(bytes.span)
    }
}

/// When a sealed stream goes on to new keys.
package struct SealRotationConfiguration: Equatable, Sendable {
    /// After so many events.
    package var events = 10_000
    /// And after so long.
    package var interval = Duration.seconds(600)

    package init() {}
}

extension SealingConfiguration {
    static var section: Section<SealingConfiguration> {
        Section(
            .sections(
                "keys",
                \.keys,
                Section(
                    .required("id", \.id, .id),
                    .required("account", \.account, .id),
                    .absentOrValue("key", \.key, .sealingKey),
                    .optional("keyFile", \.keyFile, .filePath)
                )
            ) { SealingKeyConfiguration() },
            .section(
                "rotate",
                \.rotate,
                Section(
                    .value("events", \.events, .number(1...4_294_967_295)),
                    .value(
                        "interval",
                        \.interval,
                        .duration(.milliseconds(100)...(.seconds(86_400)))
                    )
                )
            ),
            .value("pad", \.pad, .number(0...4_096))
        )
    }
}

extension ValueForm where Value == Secret? {
    /// An empty text, as an empty variable gives it, is none.
    static var sealingKey: ValueForm {
        ValueForm(
            expectation: "32 bytes or more in base64 (openssl rand -base64 32 makes them)",
            isShown: false,
            parse: { text in
                if text.isEmpty { return .some(nil) }
                guard var bytes = Base64.decode(text), bytes.count >= 32 else { return nil }
                wipe(&bytes)
                return .some(Secret(text))
            },
            text: { _ in "redacted" }
        )
    }

    /// An empty text, as an empty variable gives it, is none.
    static var password: ValueForm {
        ValueForm(
            expectation: "a password of 12 to 256 bytes",
            isShown: false,
            parse: { text in
                if text.isEmpty { return .some(nil) }
                return (12...256).contains(text.utf8.count) ? .some(Secret(text)) : nil
            },
            text: { _ in "redacted" }
        )
    }
}
