import Cryptography

/// What tells that a row is as it was written, which of its columns is not, and what stood there.
///
/// A hash over all columns, one byte for each, and the exclusive or of all of them. A change that
/// leaves the hash right is not to be found by chance; a changed column is named by its byte, and if
/// it is the only one, its old value follows from the others.
struct RowSeal: Equatable {
    private static let hashLength = 16

    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Seals a row.
    ///
    /// - Parameters:
    ///   - row: its values without the seal.
    ///   - previous: the seal of the row before it, where rows are chained.
    init(of row: [LedgerValue], after previous: [UInt8] = []) {
        var message = previous
        message.reserveCapacity(previous.count + 512)
        var checks: [UInt8] = []
        checks.reserveCapacity(row.count)
        var parity: [UInt8] = []
        for (index, value) in row.enumerated() {
            let start = message.count
            value.append(to: &message)
            checks.append(Self.check(message[start...], index))
            if message.count - start > parity.count {
                parity += repeatElement(0, count: message.count - start - parity.count)
            }
            for (offset, byte) in message[start...].enumerated() { parity[offset] ^= byte }
        }
        bytes = SHA256Digest(of: message).bytes.prefix(Self.hashLength) + checks + parity
    }

    /// What is wrong with a row that stands under this seal.
    enum Finding: Equatable {
        case none
        /// The seal itself was changed.
        case seal
        /// Columns by their places, each with its old value where that is known.
        case columns([(place: Int, old: LedgerValue?)])

        static func == (left: Self, right: Self) -> Bool {
            switch (left, right) {
            case (.none, .none), (.seal, .seal): true
            case (.columns(let left), .columns(let right)):
                left.elementsEqual(right) { $0.place == $1.place && $0.old == $1.old }
            default: false
            }
        }
    }

    func check(_ row: [LedgerValue], after previous: [UInt8] = []) -> Finding {
        let fresh = RowSeal(of: row, after: previous)
        guard fresh != self else { return .none }
        let start = Self.hashLength
        guard bytes.count >= start + row.count,
            fresh.bytes.prefix(start) != bytes.prefix(start)
        else { return .seal }
        let places = row.indices.filter { fresh.bytes[start + $0] != bytes[start + $0] }
        if let only = places.count == 1 ? places.first : nil,
            let old = restored(only, in: row, previous)
        {
            return .columns([(only, old)])
        }
        if places.isEmpty {
            // By chance the byte of the changed column is the same: the hash tells which it is.
            for place in row.indices {
                guard let old = restored(place, in: row, previous) else { continue }
                return .columns([(place, old)])
            }
        }
        let isOfSeal = places.isEmpty || places.count == row.count
        return isOfSeal ? .seal : .columns(places.map { ($0, nil) })
    }

    /// What stood in a column, if the others are as they were.
    private func restored(
        _ place: Int,
        in row: [LedgerValue],
        _ previous: [UInt8]
    ) -> LedgerValue? {
        var parity = Array(bytes[(Self.hashLength + row.count)...])
        for (index, value) in row.enumerated() where index != place {
            var encoding: [UInt8] = []
            value.append(to: &encoding)
            guard encoding.count <= parity.count else { return nil }
            for (offset, byte) in encoding.enumerated() { parity[offset] ^= byte }
        }
        guard let old = LedgerValue(encoded: parity) else { return nil }
        var whole = row
        whole[place] = old
        return RowSeal(of: whole, after: previous) == self ? old : nil
    }

    /// FNV-1a, folded to one byte.
    private static func check(_ encoding: ArraySlice<UInt8>, _ index: Int) -> UInt8 {
        var hash: UInt32 = 2_166_136_261 ^ UInt32(truncatingIfNeeded: index)
        for byte in encoding { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        hash ^= hash >> 16
        return UInt8(truncatingIfNeeded: hash ^ (hash >> 8))
    }
}

extension LedgerValue {
    /// Appends the value in a form that no other value has: a tag, and behind it the number in eight
    /// bytes, or a length in four and the bytes.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(0)
        case .integer(let number):
            bytes.append(1)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
            }
        case .text(let text):
            bytes.append(2)
            Self.append(length: text.utf8.count, to: &bytes)
            bytes.append(contentsOf: text.utf8)
        case .bytes(let content):
            bytes.append(3)
            Self.append(length: content.count, to: &bytes)
            bytes.append(contentsOf: content)
        }
    }

    /// Reads the form that `append` writes, with zeros behind it; nil for anything else.
    fileprivate init?(encoded bytes: [UInt8]) {
        var rest = bytes[...]
        switch rest.popFirst() {
        case 0: self = .null
        case 1:
            guard rest.count >= 8 else { return nil }
            self = .integer(rest.prefix(8).reduce(0) { $0 << 8 | Int64($1) })
            rest = rest.dropFirst(8)
        case 2, 3:
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= length else { return nil }
            let content = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            guard bytes[0] == 2 else {
                self = .bytes(content)
                break
            }
            guard let text = String(validating: content, as: UTF8.self) else { return nil }
            self = .text(text)
        default: return nil
        }
        guard rest.allSatisfy({ $0 == 0 }) else { return nil }
    }

    private static func append(length: Int, to bytes: inout [UInt8]) {
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: length >> shift))
        }
    }
}
