import Dialects
import HTTPServer
import HTTPWire
import StreamBytes

/// Answers that are known in full, in the form that their path promises.
struct Answer {
    /// Whose error form is spoken: OpenAI's below `/v1`, RFC 9457 everywhere else.
    let isOpenAI: Bool
    /// What every answer to this request carries.
    let fields: HeaderFields

    func json(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
        response(status, "application/json", body)
    }

    func text(_ body: [UInt8], type: String) -> HTTPResponse { response(200, type, body) }

    func empty(_ status: Int, _ extra: [(String, String)] = []) -> HTTPResponse {
        var answer = HTTPResponse(head: ResponseHead(status: status, fields: fields), body: [])
        for (name, value) in extra { answer.head.fields.append(name, value) }
        return answer
    }

    /// Answers with an error.
    ///
    /// - Parameters:
    ///   - failure: what went wrong.
    ///   - status: instead of the code's own.
    /// - Returns: the whole response.
    func failure(_ failure: StreamFailure, status: Int? = nil) -> HTTPResponse {
        let status = status ?? failure.code.status
        var answer =
            isOpenAI
            ? json(status, failure.openAIBody)
            : response(status, "application/problem+json", failure.problem(status: status))
        if status == 401 { answer.head.fields.append("WWW-Authenticate", "Bearer") }
        if let retryAfter = failure.retryAfter ?? (failure.code.isOverload ? "1" : nil) {
            answer.head.fields.append("Retry-After", retryAfter)
        }
        return answer
    }

    private func response(_ status: Int, _ type: String, _ body: [UInt8]) -> HTTPResponse {
        var head = ResponseHead(status: status, fields: fields)
        head.fields.append("Content-Type", type)
        head.fields.append("Cache-Control", "no-store")
        return HTTPResponse(head: head, body: body)
    }
}

extension ErrorCode {
    fileprivate var isOverload: Bool { self == .overloaded || self == .rateLimited }
}

extension StreamFailure {
    /// A problem document (RFC 9457), whose title is the status' own where there is no type.
    fileprivate func problem(status: Int) -> [UInt8] {
        var body: [UInt8] = []
        body.append(#"{"type":"about:blank","title":"#)
        body.append(jsonString: ResponseHead.reason(status))
        body.append(#","status":"#)
        body.append(decimal: Int64(status))
        body.append(#","code":""#)
        body.append(contentsOf: code.rawValue.utf8)
        body.append(#"","detail":"#)
        body.append(jsonString: message)
        if let param {
            body.append(#","param":"#)
            body.append(jsonString: param)
        }
        body.append("}")
        return body
    }
}
