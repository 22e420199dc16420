/// Why a client's request cannot be served as it stands.
package struct ChatRequestError: Error, Equatable, Sendable {
    /// For the client.
    package let message: String
    /// The field that is wrong; nil if it is the body as a whole.
    package let param: String?
    /// 400, or 413 for a body that is too long.
    package let status: Int

    package init(_ message: String, param: String? = nil, status: Int = 400) {
        self.message = message
        self.param = param
        self.status = status
    }
}
