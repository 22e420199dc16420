import Cryptography

/// Makes and checks what tells that a row is as it was written, which of its columns is not, and what
/// stood there.
///
/// A seal is a hash over all columns, one byte for each, and the exclusive or of all of them. A change
/// that leaves the hash right is not to be found by chance; a changed column is named by its byte,
/// and if it is the only one, its old value follows from the others.
final class RowSealer {
    private static let hashLength = 16

    private var hasher = SHA256Hasher()
    private var scratch = Scratch()

    /// What a seal is made of; outside of it, so that making one allocates nothing else.
    private struct Scratch {
        var message: [UInt8] = []
        var checks: [UInt8] = []
        var parity: [UInt8] = []

        mutating func removeAll() {
            message.removeAll(keepingCapacity: true)
            checks.removeAll(keepingCapacity: true)
            parity.removeAll(keepingCapacity: true)
        }

        mutating func append(_ value: LedgerValue) {
            let start = message.count
            value.append(to: &message)
            let count = message.count - start
            while parity.count < count { parity.append(0) }
            var hash = UInt64(truncatingIfNeeded: checks.count)
            for offset in 0..<count {
                let byte = message[start &+ offset]
                parity[offset] ^= byte
                hash = (hash &<< 5 | hash &>> 59) ^ UInt64(byte)
            }
            checks.append(UInt8(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) &>> 56))
        }
    }

    /// Seals a row.
    ///
    /// - Parameters:
    ///   - row: its values without the seal.
    ///   - previous: the seal of the row before it, where rows are chained.
    /// - Returns: the seal.
    func seal(_ row: [LedgerValue], after previous: [UInt8] = []) -> [UInt8] {
        // A local one: what a class holds is checked at every access.
        var scratch = Scratch()
        swap(&scratch, &self.scratch)
        scratch.removeAll()
        scratch.message.append(contentsOf: previous)
        for value in row { scratch.append(value) }
        var seal: [UInt8] = []
        seal.reserveCapacity(Self.hashLength + scratch.checks.count + scratch.parity.count)
        hasher.append(digestOf: scratch.message, count: Self.hashLength, to: &seal)
        seal.append(contentsOf: scratch.checks)
        seal.append(contentsOf: scratch.parity)
        swap(&scratch, &self.scratch)
        return seal
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

    func check(
        _ seal: [UInt8],
        of row: [LedgerValue],
        after previous: [UInt8] = []
    ) -> Finding {
        let fresh = self.seal(row, after: previous)
        guard fresh != seal else { return .none }
        let start = Self.hashLength
        guard seal.count >= start + row.count, fresh.prefix(start) != seal.prefix(start) else {
            return .seal
        }
        let places = row.indices.filter { fresh[start + $0] != seal[start + $0] }
        if let only = places.count == 1 ? places.first : nil,
            let old = restored(only, in: row, seal, previous)
        {
            return .columns([(only, old)])
        }
        if places.isEmpty {
            // By chance the byte of the changed column is the same: the hash tells which it is.
            for place in row.indices {
                guard let old = restored(place, in: row, seal, previous) else { continue }
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
        _ seal: [UInt8],
        _ previous: [UInt8]
    ) -> LedgerValue? {
        var parity = Array(seal[(Self.hashLength + row.count)...])
        for (index, value) in row.enumerated() where index != place {
            var encoding: [UInt8] = []
            value.append(to: &encoding)
            guard encoding.count <= parity.count else { return nil }
            for (offset, byte) in encoding.enumerated() { parity[offset] ^= byte }
        }
        guard let old = LedgerValue(encoded: parity) else { return nil }
        var whole = row
        whole[place] = old
        return self.seal(whole, after: previous) == seal ? old : nil
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
            var rest = UInt64(bitPattern: number)
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: rest &>> 56))
                rest = rest &<< 8
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
        bytes.append(UInt8(truncatingIfNeeded: length &>> 24))
        bytes.append(UInt8(truncatingIfNeeded: length &>> 16))
        bytes.append(UInt8(truncatingIfNeeded: length &>> 8))
        bytes.append(UInt8(truncatingIfNeeded: length))
    }
}
