import Glibc
import Pricing

/// What `weir rate` did.
package struct RateSummary: Equatable, Sendable {
    package fileprivate(set) var rated = 0
    package fileprivate(set) var skipped = 0
    package fileprivate(set) var malformed = 0

    /// 0 only when every case was rated.
    package var exitStatus: Int32 { skipped + malformed == 0 ? 0 : 1 }
}

/// Rates the cases of a file, one JSON object per line.
///
/// - Parameters:
///   - path: the cases file.
///   - prices: the price lists.
///   - output: takes each result line, without its line feed.
///   - complaint: takes what goes to standard error: lines that are no case, and at the end how
///     many cases of an unknown kind were skipped.
/// - Returns: the counts; nil when the file cannot be read, which was complained about.
package func rateCases(
    at path: String,
    prices: PriceBook,
    output: (String) -> Void,
    complaint: (String) -> Void
) -> RateSummary? {
    guard let file = unsafe fopen(path, "re") else {
        complaint("\(path): \(unsafe String(cString: strerror(errno)))")
        return nil
    }
    defer { unsafe fclose(file) }
    let command = RateCommand(prices: prices)
    var summary = RateSummary()
    var lineNumber = 0
    while let line = unsafe nextLine(of: file) {
        lineNumber += 1
        if line.allSatisfy(\.isWhitespace) { continue }
        switch command.answer(line) {
        case .result(let result):
            summary.rated += 1
            output(result)
        case .skipped: summary.skipped += 1
        case .malformed(let reason):
            summary.malformed += 1
            complaint("\(path):\(lineNumber): \(reason)")
        }
    }
    if unsafe ferror(file) != 0 {
        complaint("\(path): it could not be read to its end")
        return nil
    }
    if summary.skipped > 0 {
        complaint("skipped \(summary.skipped) cases of a kind that is not known")
    }
    return summary
}

/// The next line without its line feed; nil at the end.
private func nextLine(of file: UnsafeMutablePointer<FILE>) -> String? {
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { unsafe free(line) }
    let length = unsafe getline(&line, &capacity, file)
    guard length >= 0, let line = unsafe line else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: line, count: length)
    let text = unsafe bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
    return unsafe String(decoding: text, as: UTF8.self)
}
