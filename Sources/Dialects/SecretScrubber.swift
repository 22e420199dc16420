import StreamBytes

/// Takes what looks like a key out of texts that others wrote.
enum SecretScrubber {
    static let mark = "[redacted]"

    /// Prefixes that providers give their keys.
    private static let prefixes: [StaticString] = [
        "sk-", "sk_", "pk-", "pk_", "rk_", "gsk_", "xai-", "AIza", "hf_", "r8_", "pplx-", "nvapi-",
        "key-", "fw_", "tgp_", "csk-", "AKIA", "ghp_", "eyJ",
    ]
    /// Words after which the next word is a key.
    private static let announcements = ["bearer", "x-api-key", "api-key", "apikey", "api_key"]

    /// Returns `text` without keys, cut to `byteLimit` bytes at a character's end.
    static func scrub(_ text: String, byteLimit: Int) -> String {
        // A key may be cut in two by the limit, so it is looked for in a little more.
        let bytes = [UInt8](text.utf8.prefix(byteLimit + 512))
        let cleaned = scrub(bytes.span)
        return cut(cleaned, to: byteLimit)
    }

    /// Returns `text` without `secret`.
    static func remove(_ secret: String, from text: String) -> String {
        guard secret.utf8.count >= 4 else { return text }
        let needle = [UInt8](secret.utf8)
        let bytes = [UInt8](text.utf8)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: needle) {
                output.append(contentsOf: mark.utf8)
                index += needle.count
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func scrub(_ text: Span<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        var isAnnounced = false
        while index < text.count {
            guard isKeyByte(text[index]) else {
                output.append(text[index])
                // Colons, quotes and spaces may stand between the announcement and the key.
                if text[index] == 0x0A || text[index] == 0x2C { isAnnounced = false }
                index += 1
                continue
            }
            let start = index
            while index < text.count,
                isKeyByte(text[index]) || isAnnounced && isBase64Mark(text[index])
            {
                index += 1
            }
            let word = text.extracting(start..<index)
            let isBearer = isAnnounced && matchesAnnouncement(word)
            if isAnnounced && !isBearer && word.count >= 4 || looksLikeKey(word) {
                output.append(contentsOf: mark.utf8)
                isAnnounced = false
            } else {
                output.append(word)
                isAnnounced = isBearer || announcesKey(text, start, index)
            }
        }
        return output
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x5F, 0x2A, 0x7E:
            true
        default: byte >= 0x80
        }
    }

    /// Part of a key that is known to be one; elsewhere these separate words.
    private static func isBase64Mark(_ byte: UInt8) -> Bool { byte == 0x2F || byte == 0x3D }

    private static func matchesAnnouncement(_ word: Span<UInt8>) -> Bool {
        guard word.count <= 16 else { return false }
        var lowered: [UInt8] = []
        for index in 0..<word.count { lowered.append(word[index] | 0x20) }
        return announcements.contains { lowered.elementsEqual($0.utf8.map { $0 | 0x20 }) }
    }

    /// `Bearer` announces a key by itself, the names of header fields only before a colon or an
    /// equals sign, so that "invalid x-api-key" stays readable.
    private static func announcesKey(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard matchesAnnouncement(text.extracting(start..<end)) else { return false }
        if text.count > end, text[end] == 0x3A || text[end] == 0x22 || text[end] == 0x27 {
            return true
        }
        return text[start] | 0x20 == 0x62 && text.count > end && text[end] == 0x20
    }

    private static func looksLikeKey(_ word: Span<UInt8>) -> Bool {
        if word.count >= 8, prefixes.contains(where: { word.hasPrefix($0) }) { return true }
        guard word.count >= 32 else { return false }
        var digits = 0
        var lower = 0
        var upper = 0
        var marks = 0
        for index in 0..<word.count {
            switch word[index] {
            case 0x30...0x39: digits += 1
            case 0x41...0x5A: upper += 1
            case 0x61...0x7A: lower += 1
            default: marks += 1
            }
        }
        guard digits > 0, lower + upper > 0 else { return false }
        // Long words of one alphabet with marks are names of models and requests.
        return marks == 0 || (lower > 0 && upper > 0 && digits >= 4)
    }

    private static func cut(_ bytes: [UInt8], to byteLimit: Int) -> String {
        guard bytes.count > byteLimit else { return String(decoding: bytes, as: UTF8.self) }
        var end = byteLimit
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
