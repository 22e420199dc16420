/// Where usage and bills are read.
package protocol AccountBooks: Sendable {
    /// Adds usage up.
    ///
    /// - Parameters:
    ///   - parameters: those of the request.
    ///   - account: the only one that may be told of; nil: all.
    /// - Returns: the sums, or why there are none.
    func usage(_ parameters: QueryString, of account: String?) async -> BooksAnswer

    /// What an account's month costs.
    ///
    /// - Parameters:
    ///   - period: as it was asked for, such as `2026-01`.
    ///   - account: who pays.
    /// - Returns: the bill, or why there is none.
    func period(_ period: String, of account: String) async -> BooksAnswer
}

/// What became of a question about usage or a bill.
package enum BooksAnswer: Equatable, Sendable {
    /// A JSON object.
    case found([UInt8])
    /// The question makes no sense; the text says why.
    case refused(String)
    /// There is nothing of what was asked for.
    case missing(String)
    /// It cannot be answered now.
    case unavailable(String)
}
