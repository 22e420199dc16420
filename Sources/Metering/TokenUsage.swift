/// Tokens of one answer, normalised: input includes cache reads and writes, output includes
/// reasoning.
package struct TokenUsage: Equatable, Sendable {
    package var input: Int64 = 0
    package var output: Int64 = 0
    package var cachedInput: Int64 = 0
    package var cacheWrite: Int64 = 0
    package var reasoning: Int64 = 0

    package init() {}
}
