import CPostgres
import Glibc

/// A connection to a PostgreSQL server, in pipeline mode: statements are queued, and their answers
/// fetched together.
///
/// Owns the handle: `init` connects, `deinit` disconnects. Use it on one thread at a time. Whatever
/// waits for the server waits at most `patience`.
@safe
final class PostgreSQLConnection {
    /// How much of a copy is handed over at once, in bytes.
    private static let copyChunk = 65_536

    private let handle: OpaquePointer
    private let patience: Duration
    /// The names of prepared statements, by their texts.
    private var names: [String: String] = [:]
    /// How many statements were ever prepared: no name is used twice.
    private var preparedCount = 0
    /// What is queued and not answered; true: its rows are wanted.
    private var queue: [Answer] = []

    private enum Answer {
        case preparation
        case nothing
        case rows
    }

    /// Connects.
    ///
    /// - Parameters:
    ///   - url: a connection URI, TLS options included.
    ///   - patience: the longest that any answer may take.
    /// - Throws: `PostgreSQLFailure`.
    init(_ url: String, patience: Duration) throws(PostgreSQLFailure) {
        // What stands before the URI can be overridden by it.
        let options = [
            ("connect_timeout", "10"), ("application_name", "weir"), ("dbname", url),
            ("client_encoding", "UTF8"),
        ]
        guard let handle = unsafe Self.connected(options) else {
            throw PostgreSQLFailure(state: "", message: "out of memory")
        }
        unsafe self.handle = handle
        self.patience = patience
        guard unsafe PQstatus(handle) == CONNECTION_OK else { throw failure() }
        guard unsafe PQsetnonblocking(handle, 1) == 0, unsafe PQenterPipelineMode(handle) == 1
        else {
            throw failure()
        }
    }

    deinit { unsafe PQfinish(handle) }

    /// Connects with these keywords and values; nil when there is no memory.
    private static func connected(_ options: [(String, String)]) -> OpaquePointer? {
        // One buffer for all texts, so that their addresses hold during the call.
        var bytes: [CChar] = []
        var starts: [(keyword: Int, value: Int)] = []
        for (keyword, value) in options {
            let start = bytes.count
            bytes += keyword.utf8CString
            starts.append((start, bytes.count))
            bytes += value.utf8CString
        }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return nil }
            let keywords = unsafe starts.map { unsafe base + $0.keyword as UnsafePointer? } + [nil]
            let values = unsafe starts.map { unsafe base + $0.value as UnsafePointer? } + [nil]
            return unsafe PQconnectdbParams(keywords, values, 1)
        }
    }

    /// Queues a statement; one with parameters is prepared once.
    ///
    /// - Parameters:
    ///   - text: with `$1` and so on for the parameters.
    ///   - parameters: in binary form.
    ///   - returnsRows: whether `answers` holds its rows.
    /// - Throws: `PostgreSQLFailure` when the connection is lost.
    func send(
        _ text: String,
        _ parameters: [PostgreSQLParameter] = [],
        returnsRows: Bool = false
    ) throws(PostgreSQLFailure) {
        queue.append(returnsRows ? .rows : .nothing)
        guard !parameters.isEmpty else {
            let isSent = unsafe PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, 1)
            guard isSent == 1 else { throw failure() }
            return
        }
        let name: String
        if let known = names[text] {
            name = known
        } else {
            preparedCount += 1
            name = "s\(preparedCount)"
            let types = parameters.map(\.type)
            let isSent = unsafe PQsendPrepare(handle, name, text, Int32(types.count), types)
            guard isSent == 1 else { throw failure() }
            names[text] = name
            queue.insert(.preparation, at: queue.count - 1)
        }
        guard sendPrepared(name, parameters) else { throw failure() }
    }

    /// Takes the open transaction back, and forgets prepared statements: after an error it is not
    /// known which there are.
    func rollback() throws(PostgreSQLFailure) {
        if !queue.isEmpty {
            // What was queued and never asked for; its answers do not matter.
            _ = try? answers()
        }
        names = [:]
        try send("ROLLBACK")
        try send("DEALLOCATE ALL")
        _ = try answers()
    }

    /// Sends what is queued and waits for its answers.
    ///
    /// - Returns: the rows of each statement that returns some, in order.
    /// - Throws: `PostgreSQLFailure`, the first one; what was queued behind it was not done.
    func answers() throws(PostgreSQLFailure) -> [[[LedgerValue]]] {
        guard unsafe PQpipelineSync(handle) == 1 else { throw failure() }
        let deadline = ContinuousClock.now + patience
        var answers: [[[LedgerValue]]] = []
        var first: PostgreSQLFailure?
        for answer in queue {
            var rows: [[LedgerValue]] = []
            while let result = try nextResult(until: deadline) {
                switch result.status {
                case PGRES_TUPLES_OK, PGRES_COMMAND_OK: rows = try result.rows()
                case PGRES_PIPELINE_ABORTED: break
                default: first = first ?? result.failure
                }
            }
            if case .rows = answer { answers.append(rows) }
        }
        queue = []
        guard let end = try nextResult(until: deadline), end.status == PGRES_PIPELINE_SYNC else {
            throw PostgreSQLFailure(state: "", message: "the server's answers do not fit")
        }
        if let first { throw first }
        return answers
    }

    /// Puts rows into a table, once what is queued is done.
    ///
    /// - Parameters:
    ///   - text: a `COPY … FROM STDIN` in binary form.
    ///   - rows: what it takes.
    /// - Throws: `PostgreSQLFailure`; the rest of the transaction is not done then.
    func copy(_ text: String, _ rows: LedgerRows) throws(PostgreSQLFailure) {
        if !queue.isEmpty { _ = try answers() }
        // A copy cannot stand in a pipeline.
        guard unsafe PQexitPipelineMode(handle) == 1 else { throw failure() }
        var first: PostgreSQLFailure?
        let deadline = ContinuousClock.now + patience
        guard unsafe PQsendQuery(handle, text) == 1 else { throw failure() }
        while let result = try nextResult(until: deadline) {
            switch result.status {
            case PGRES_COPY_IN: try send(rows.postgreSQLCopy, until: deadline)
            case PGRES_COMMAND_OK: break
            default: first = first ?? result.failure
            }
        }
        guard unsafe PQenterPipelineMode(handle) == 1 else { throw failure() }
        if let first { throw first }
    }

    private func send(
        _ bytes: [UInt8],
        until deadline: ContinuousClock.Instant
    ) throws(PostgreSQLFailure) {
        var start = 0
        while start < bytes.count {
            let end = min(start + Self.copyChunk, bytes.count)
            let isQueued = unsafe bytes[start..<end].withUnsafeBytes { chunk in
                unsafe PQputCopyData(
                    handle,
                    chunk.baseAddress?.assumingMemoryBound(to: CChar.self),
                    Int32(chunk.count)
                )
            }
            guard isQueued >= 0 else { throw failure() }
            if isQueued == 1 { start = end }
            try flush(until: deadline)
        }
        guard unsafe PQputCopyEnd(handle, nil) == 1 else { throw failure() }
    }

    // MARK: Waiting

    private func flush(until deadline: ContinuousClock.Instant) throws(PostgreSQLFailure) {
        while true {
            let unsent = unsafe PQflush(handle)
            guard unsent >= 0 else { throw failure() }
            guard unsent == 1 else { return }
            try wait(sending: true, until: deadline)
            guard unsafe PQconsumeInput(handle) == 1 else { throw failure() }
        }
    }

    private func nextResult(
        until deadline: ContinuousClock.Instant
    ) throws(PostgreSQLFailure) -> PostgreSQLResult? {
        while true {
            let unsent = unsafe PQflush(handle)
            guard unsent >= 0 else { throw failure() }
            // While there is something to send, answers have to be taken too, or both sides wait.
            let isBusy = unsafe PQisBusy(handle) == 1
            guard unsent == 1 || isBusy else { break }
            try wait(sending: unsent == 1, until: deadline)
            guard unsafe PQconsumeInput(handle) == 1 else { throw failure() }
            if unsent == 1, unsafe PQisBusy(handle) == 0 { break }
        }
        guard let result = unsafe PQgetResult(handle) else { return nil }
        return unsafe PostgreSQLResult(adopting: result)
    }

    private func wait(
        sending: Bool,
        until deadline: ContinuousClock.Instant
    ) throws(PostgreSQLFailure) {
        let left = (deadline - ContinuousClock.now) / .milliseconds(1)
        guard left > 0 else {
            throw PostgreSQLFailure(state: "", message: "no answer within \(patience)")
        }
        var descriptor = pollfd(
            fd: unsafe PQsocket(handle),
            events: Int16(POLLIN) | (sending ? Int16(POLLOUT) : 0),
            revents: 0
        )
        let count = unsafe poll(&descriptor, 1, Int32(min(left, 1_000) + 1))
        guard count >= 0 || errno == EINTR else {
            throw PostgreSQLFailure(state: "", message: "poll: error \(errno)")
        }
    }

    private func sendPrepared(_ name: String, _ parameters: [PostgreSQLParameter]) -> Bool {
        // One buffer for all of them, so that their addresses hold during the call.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) })
        for parameter in parameters {
            if let content = parameter.bytes { bytes.append(contentsOf: content) }
        }
        if bytes.isEmpty { bytes.append(UInt8(0)) }
        let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: parameters.count)
        return unsafe bytes.withUnsafeBytes { bytes in
            guard var next = bytes.baseAddress else { return false }
            var values: [UnsafePointer<CChar>?] = unsafe []
            for parameter in parameters {
                guard let content = parameter.bytes else {
                    unsafe values.append(nil)
                    continue
                }
                unsafe values.append(next.assumingMemoryBound(to: CChar.self))
                unsafe next += content.count
            }
            return unsafe PQsendQueryPrepared(
                handle,
                name,
                Int32(parameters.count),
                values,
                lengths,
                formats,
                1
            ) == 1
        }
    }

    private func failure() -> PostgreSQLFailure {
        let message = unsafe String(cString: PQerrorMessage(handle))
        return PostgreSQLFailure(state: "", message: message.trimmed)
    }
}

/// An answer of the server; owns its memory.
@safe
private struct PostgreSQLResult: ~Copyable {
    private let handle: OpaquePointer

    init(adopting handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe PQclear(handle) }

    var status: ExecStatusType { unsafe PQresultStatus(handle) }

    var failure: PostgreSQLFailure {
        let state = unsafe PQresultErrorField(handle, Int32(UInt8(ascii: "C")))
        let message = unsafe PQresultErrorField(handle, Int32(UInt8(ascii: "M")))
        return PostgreSQLFailure(
            state: unsafe state.map { unsafe String(cString: $0) } ?? "",
            message: (unsafe message.map { unsafe String(cString: $0) }
                ?? String(cString: PQresultErrorMessage(handle))).trimmed
        )
    }

    func rows() throws(PostgreSQLFailure) -> [[LedgerValue]] {
        let columns = unsafe PQnfields(handle)
        let types = (0..<columns).map { unsafe PQftype(handle, $0) }
        var rows: [[LedgerValue]] = []
        for row in 0..<(unsafe PQntuples(handle)) {
            var values: [LedgerValue] = []
            values.reserveCapacity(Int(columns))
            for column in 0..<columns {
                values.append(try value(row, column, types[Int(column)]))
            }
            rows.append(values)
        }
        return rows
    }

    private func value(
        _ row: Int32,
        _ column: Int32,
        _ type: Oid
    ) throws(PostgreSQLFailure) -> LedgerValue {
        guard unsafe PQgetisnull(handle, row, column) == 0,
            let start = unsafe PQgetvalue(handle, row, column)
        else { return .null }
        let count = Int(unsafe PQgetlength(handle, row, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        switch type {
        case 16, 20, 21, 23:
            let content = unsafe Array(bytes)
            var number = Int64(content.first.map { Int8(bitPattern: $0) } ?? 0)
            for byte in content.dropFirst() { number = number << 8 | Int64(byte) }
            return .integer(number)
        case 17: return .bytes(unsafe Array(bytes))
        case 18, 19, 25, 1_043: return .text(unsafe String(decoding: bytes, as: UTF8.self))
        // The answer of a function that returns nothing.
        case 2_278: return .null
        default:
            throw PostgreSQLFailure(state: "", message: "a value of the unknown type \(type)")
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        let end = lastIndex { !$0.isNewline && $0 != " " }
        return end.map { String(self[...$0]) } ?? ""
    }
}
