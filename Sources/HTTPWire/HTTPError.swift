/// Why a message cannot be read or written.
package enum HTTPError: Error, Equatable, Sendable {
    /// A carriage return or a line feed stands alone.
    case lineEnding
    case controlCharacter
    /// More empty lines came before a request than a client sends by mistake.
    case emptyLines
    case requestLine
    case version
    case method
    case target
    case targetTooLong
    /// `Host` is missing, repeated or not a host.
    case host
    case fieldName
    case fieldValue
    /// A line without a colon.
    case fieldLine
    /// A value that goes on in a second line.
    case foldedField
    case tooManyFields
    case headTooLarge
    case contentLength
    /// Both `Content-Length` and `Transfer-Encoding`, or the latter in HTTP/1.0.
    case ambiguousLength
    case transferEncoding
    /// A transfer coding other than chunked.
    case transferCoding
    case bodyTooLarge
    case expectation
    case chunkSize
    case chunkExtension
    case chunkExtensionsTooLarge
    /// A chunk's data is not followed by a line end.
    case chunkEnd
    case trailersTooLarge
    case statusLine
    /// An interim response that was not asked for, or too many of them.
    case interimResponse
    /// The connection ended inside a message.
    case truncated
    /// A head to be sent holds a character that would change its meaning.
    case unsendable

    /// The status that tells a client.
    package var status: Int {
        switch self {
        case .version: 505
        case .method, .transferCoding: 501
        case .targetTooLong: 414
        case .tooManyFields, .headTooLarge, .trailersTooLarge: 431
        case .bodyTooLarge, .chunkExtensionsTooLarge: 413
        case .expectation: 417
        case .unsendable: 500
        default: 400
        }
    }

    /// What is wrong, in a few words for a person.
    package var reason: String {
        switch self {
        case .lineEnding: "a line does not end in CR LF"
        case .controlCharacter: "the head holds a control character"
        case .emptyLines: "too many empty lines before the request"
        case .requestLine: "the request line is malformed"
        case .version: "this version of HTTP is not served"
        case .method: "this method is not implemented"
        case .target: "the request target is not valid"
        case .targetTooLong: "the request target is too long"
        case .host: "one valid Host field is required"
        case .fieldName: "a field name is not a token"
        case .fieldValue: "a field value is not valid"
        case .fieldLine: "a field line has no colon"
        case .foldedField: "a field is folded over several lines"
        case .tooManyFields: "too many fields"
        case .headTooLarge: "the head is too large"
        case .contentLength: "Content-Length is not one whole number"
        case .ambiguousLength: "the length of the body is ambiguous"
        case .transferEncoding: "Transfer-Encoding is not valid"
        case .transferCoding: "this transfer coding is not implemented"
        case .bodyTooLarge: "the body is too large"
        case .expectation: "this expectation cannot be met"
        case .chunkSize: "a chunk size is not valid"
        case .chunkExtension: "a chunk extension is not valid"
        case .chunkExtensionsTooLarge: "the chunk extensions are too large"
        case .chunkEnd: "a chunk is longer than its size"
        case .trailersTooLarge: "the trailer section is too large"
        case .statusLine: "the status line is malformed"
        case .interimResponse: "an unexpected interim response"
        case .truncated: "the message ended too early"
        case .unsendable: "the head cannot be sent as it is"
        }
    }
}
