import Glibc

/// This process' environment.
package enum ProcessEnvironment {
    /// All variables; of a name that stands twice the first value holds, as `getenv` has it.
    package static var variables: [String: String] {
        var variables: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, variables[String(parts[0])] == nil {
                variables[String(parts[0])] = String(parts[1])
            }
            unsafe next += 1
        }
        return variables
    }
}
