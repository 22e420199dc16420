import Glibc

extension Span where Element == UInt8 {
    /// The index of the first `byte` within `range`, or nil.
    package func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is inside")
        guard !range.isEmpty else { return nil }
        return unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            guard
                let found = unsafe memchr(base + range.lowerBound, Int32(byte), range.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// The index of the first carriage return or line feed at or after `start`, or nil.
    ///
    /// Looks in windows, so that a body with one kind of line end only is not read to its end
    /// for the other kind at each line.
    package func firstLineEnd(from start: Int) -> Int? {
        var windowStart = start
        var windowSize = 256
        while windowStart < count {
            let windowEnd = count - windowStart > windowSize ? windowStart + windowSize : count
            let lineFeed = firstIndex(of: 0x0A, in: windowStart..<windowEnd)
            let carriageReturn = firstIndex(of: 0x0D, in: windowStart..<(lineFeed ?? windowEnd))
            if let end = carriageReturn ?? lineFeed { return end }
            windowStart = windowEnd
            windowSize = 4096
        }
        return nil
    }

    /// Whether the bytes of `range` are those of `text`.
    package func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard range.count == length else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is inside")
        return unsafe withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            let mine = unsafe base + range.lowerBound
            let theirs = unsafe UnsafeRawPointer(text.utf8Start)
            // Names of fields are short: two loads that may overlap instead of a call.
            switch length {
            case 4..<8:
                return unsafe mine.word32(0) == theirs.word32(0)
                    && mine.word32(length - 4) == theirs.word32(length - 4)
            case 8...16:
                return unsafe mine.word64(0) == theirs.word64(0)
                    && mine.word64(length - 8) == theirs.word64(length - 8)
            default: return unsafe memcmp(mine, theirs, length) == 0
            }
        }
    }

    /// Whether the bytes from `start` on begin with `text`.
    package func hasPrefix(_ text: StaticString, at start: Int = 0) -> Bool {
        let end = start + text.utf8CodeUnitCount
        return end <= count && matches(start..<end, text)
    }

    /// Whether every byte of `range` is below 0x80.
    package func isASCII(in range: Range<Int>) -> Bool {
        let raw = unsafe self.bytes
        var index = range.lowerBound
        var seen = SIMD4<UInt64>()
        while index + 32 <= range.upperBound {
            seen |= unsafe raw.unsafeLoadUnaligned(
                fromByteOffset: index,
                as: SIMD4<UInt64>.self
            )
            index += 32
        }
        var last = seen[0] | seen[1] | seen[2] | seen[3]
        while index + 8 <= range.upperBound {
            last |= unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        var rest: UInt8 = 0
        while index < range.upperBound {
            rest |= self[index]
            index += 1
        }
        return last & 0x8080_8080_8080_8080 == 0 && rest < 0x80
    }
}

extension [UInt8] {
    /// Appends the bytes of `source` that `range` names.
    package mutating func append(_ source: Span<UInt8>, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= source.count, "it is inside")
        unsafe source.withUnsafeBufferPointer { buffer in
            unsafe append(contentsOf: UnsafeBufferPointer(rebasing: buffer[range]))
        }
    }

    /// Appends all bytes of `source`.
    package mutating func append(_ source: Span<UInt8>) { append(source, 0..<source.count) }

    /// Appends the bytes of `text`.
    package mutating func append(_ text: StaticString) {
        unsafe append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    /// Appends `number` in decimal.
    package mutating func append(decimal number: Int64) {
        // Nineteen digits and a sign at most. Written from the end: turning round a slice of the array
        // would copy all of it.
        var text = [20 of UInt8](repeating: 0)
        var start = 20
        var magnitude = number.magnitude
        repeat {
            start -= 1
            text[start] = 0x30 + UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
        if number < 0 {
            start -= 1
            text[start] = 0x2D
        }
        append(addingCapacity: 20 - start) { output in
            for index in start..<20 { output.append(text[index]) }
        }
    }
}

extension UnsafeRawPointer {
    @inline(__always)
    fileprivate func word32(_ offset: Int) -> UInt32 {
        unsafe loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }

    @inline(__always)
    fileprivate func word64(_ offset: Int) -> UInt64 {
        unsafe loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
