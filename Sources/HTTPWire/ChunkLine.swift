/// The line that announces a chunk, read byte by byte, so that nothing of it need be kept.
///
/// Source: RFC 9112, section 7.1: `chunk-size [ chunk-ext ] CRLF`.
struct ChunkLine {
    private enum Place: UInt8 {
        case size
        /// Behind blanks that only a semicolon may follow.
        case beforeSemicolon
        case beforeName
        case name
        case afterName
        case beforeValue
        case token
        case quoted
        case escaped
        case afterQuoted
        case lineFeed
    }

    private(set) var size = 0
    private var place = Place.size
    private var hasDigit = false
    private var byteCount: Int32 = 0

    /// Whether the last byte taken belongs to an extension.
    var isInExtension: Bool { place != .size && place != .lineFeed }

    /// Takes the next byte.
    ///
    /// - Returns: whether the line ended with it.
    mutating func take(_ byte: UInt8, byteLimit: Int) throws(HTTPError) -> Bool {
        byteCount += 1
        if byteCount > byteLimit { throw hasDigit ? .chunkExtensionsTooLarge : .chunkSize }
        switch place {
        case .lineFeed:
            guard byte == .lineFeed else { throw .lineEnding }
            return true
        case .size: place = try afterSize(byte)
        default: place = try nextInExtension(byte)
        }
        return false
    }

    private mutating func afterSize(_ byte: UInt8) throws(HTTPError) -> Place {
        if let digit = byte.hexValue {
            guard size <= Int.max >> 5 else { throw .bodyTooLarge }
            size = size << 4 | digit
            hasDigit = true
            return .size
        }
        guard hasDigit, let place = afterValue(byte) else { throw .chunkSize }
        return place
    }

    private func nextInExtension(_ byte: UInt8) throws(HTTPError) -> Place {
        let next: Place? =
            switch place {
            case .beforeSemicolon: byte.isBlank ? .beforeSemicolon : afterBlank(byte)
            case .beforeName: byte.isBlank ? .beforeName : byte.isToken ? .name : nil
            case .name: byte.isToken ? .name : afterName(byte, orBlank: true)
            case .afterName: byte.isBlank ? .afterName : afterName(byte, orBlank: false)
            case .beforeValue: beforeValue(byte)
            case .token: byte.isToken ? .token : afterValue(byte)
            case .quoted: inQuotes(byte)
            case .escaped: byte.isControl && byte != .tab ? nil : .quoted
            case .afterQuoted: afterValue(byte)
            case .size, .lineFeed: nil
            }
        guard let next else { throw .chunkExtension }
        return next
    }

    private func afterBlank(_ byte: UInt8) -> Place? {
        byte == UInt8(ascii: ";") ? .beforeName : nil
    }

    private func afterValue(_ byte: UInt8) -> Place? {
        if byte == .carriageReturn { return .lineFeed }
        return byte.isBlank ? .beforeSemicolon : afterBlank(byte)
    }

    private func afterName(_ byte: UInt8, orBlank: Bool) -> Place? {
        if byte == UInt8(ascii: "=") { return .beforeValue }
        if byte.isBlank { return .afterName }
        if byte == .carriageReturn { return orBlank ? .lineFeed : nil }
        return afterBlank(byte)
    }

    private func beforeValue(_ byte: UInt8) -> Place? {
        if byte.isBlank { return .beforeValue }
        if byte == UInt8(ascii: "\"") { return .quoted }
        return byte.isToken ? .token : nil
    }

    private func inQuotes(_ byte: UInt8) -> Place? {
        if byte == UInt8(ascii: "\"") { return .afterQuoted }
        if byte == UInt8(ascii: "\\") { return .escaped }
        return byte.isControl && byte != .tab ? nil : .quoted
    }
}
