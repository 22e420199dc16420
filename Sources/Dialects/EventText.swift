extension Span where Element == UInt8 {
    /// Where the text is without the white space around it; nil if there is nothing else.
    func trimmedRange() -> Range<Int>? {
        var start = 0
        var end = count
        while start < end, self[start] <= 0x20 { start += 1 }
        while end > start, self[end - 1] <= 0x20 { end -= 1 }
        return start < end ? start..<end : nil
    }

    /// What to leave out so that a member is gone; `member` begins with the separator before it.
    func removalRange(_ member: Range<Int>) -> Range<Int> {
        var index = member.lowerBound
        while index < member.upperBound, self[index] <= 0x20 { index += 1 }
        guard self[index] != 0x2C else { return member }
        // The first member: the separator is the one after it, if any.
        var end = member.upperBound
        while end < count, self[end] <= 0x20 { end += 1 }
        return end < count && self[end] == 0x2C ? member.lowerBound..<end + 1 : member
    }
}
