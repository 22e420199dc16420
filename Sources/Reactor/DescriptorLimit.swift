import CLinux

/// How many descriptors the process may have open.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one.
    ///
    /// - Returns: the soft limit now.
    @discardableResult
    package static func raise() -> Int { max(0, Int(CLinux_raise_descriptor_limit())) }
}
