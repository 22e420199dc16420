/// How full the spool is, for those who have to know before it is too late.
package enum SpoolLevel: Int, Comparable, Sendable, CaseIterable {
    case normal
    /// Half of the limit is used.
    case half
    /// Four fifths are used.
    case high
    /// Nothing more can be stored: the limit is reached, or the disk takes nothing.
    case full

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The level at `permille` thousandths of the limit, coming from this one.
    ///
    /// A level is left only when 5 % less is used than where it begins, so that it does not flutter.
    package func next(atPermille permille: Int) -> SpoolLevel {
        let reached = Self.level(permille)
        if reached >= self || self == .full { return reached }
        return max(reached, min(self, Self.level(permille + 50)))
    }

    private static func level(_ permille: Int) -> SpoolLevel {
        permille >= 800 ? .high : permille >= 500 ? .half : .normal
    }
}
