import Cryptography

/// Makes and checks what tells that a row is as it was written, which of its columns is not, and what
/// stood there.
///
/// A seal is a hash over all columns, one byte for each, and the exclusive or of all of them. A change
/// that leaves the hash right is not to be found by chance; a changed column is named by its byte,
/// and if it is the only one, its old value follows from the others.
final class RowSealer {
    private static let hashLength = 16
    /// What is reserved for one, in bytes.
    private static let usualLength = 128

    private var hasher = SHA256Hasher()
    private var row = RowBytes()
    private var parity: [UInt8] = []

    /// Seals a row.
    ///
    /// - Parameters:
    ///   - row: its values without the seal.
    ///   - previous: the seal of the row before it, where rows are chained.
    /// - Returns: the seal.
    func seal(_ row: [LedgerValue], after previous: [UInt8] = []) -> [UInt8] {
        var bytes = RowBytes()
        swap(&bytes, &self.row)
        bytes.removeAll()
        bytes.append(row)
        let seal = unsafe seal(bytes.bytes.span.bytes, after: previous)
        swap(&bytes, &self.row)
        return seal
    }

    /// Seals a row in the form of `RowBytes`.
    func seal(_ row: RawSpan, after previous: [UInt8] = []) -> [UInt8] {
        // A local one: what a class holds is checked at every access.
        var parity: [UInt8] = []
        swap(&parity, &self.parity)
        parity.removeAll(keepingCapacity: true)
        var seal: [UInt8] = []
        seal.reserveCapacity(Self.usualLength)
        hasher.append(digestOf: previous, row, count: Self.hashLength, to: &seal)
        var start = 0
        while start < row.byteCount {
            var end = start
            guard EncodedValue(row, at: &end) != nil else {
                preconditionFailure("a row consists of values")
            }
            while parity.count < end - start { parity.append(0) }
            var hash = UInt64(truncatingIfNeeded: seal.count - Self.hashLength)
            var bytes = parity.mutableSpan
            for offset in start..<end {
                let byte = unsafe row.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                bytes[offset &- start] ^= byte
                hash = (hash &<< 5 | hash &>> 59) ^ UInt64(byte)
            }
            seal.append(UInt8(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) &>> 56))
            start = end
        }
        seal.append(contentsOf: parity)
        swap(&parity, &self.parity)
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
            var encoding = RowBytes()
            encoding.append(value)
            guard encoding.bytes.count <= parity.count else { return nil }
            for (offset, byte) in encoding.bytes.enumerated() { parity[offset] ^= byte }
        }
        guard let old = LedgerValue(encoded: parity) else { return nil }
        var whole = row
        whole[place] = old
        return self.seal(whole, after: previous) == seal ? old : nil
    }
}
