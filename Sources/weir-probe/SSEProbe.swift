import ServerSentEvents
import StreamBytes

/// Drives the event parser from standard input.
enum SSEProbe {
    /// Above any event that a suite sends; a gateway's own limit is far lower.
    private static let byteLimit = 64 << 20

    static func run() {
        ProbeLines.answerAll { run in
            var parser = EventParser(byteLimit: byteLimit)
            var output: [UInt8] = Array("{\"id\":".utf8)
            output.append(jsonString: run.id)
            output.append(",\"events\":[")
            var isFirst = true
            for chunk in run.chunks {
                read(chunk, with: &parser, isFirst: &isFirst, into: &output)
            }
            parser.finish()
            output.append("],\"retry\":")
            if let retry = parser.retryMilliseconds {
                output.append(decimal: retry)
            } else {
                output.append("null")
            }
            output.append(",\"lastEventId\":")
            output.append(jsonString: parser.lastEventID.span)
            output.append(0x7D)
            return output
        }
    }

    private static func read(
        _ chunk: [UInt8],
        with parser: inout EventParser,
        isFirst: inout Bool,
        into output: inout [UInt8]
    ) {
        var position = 0
        while let event = try? parser.next(in: chunk.span, from: &position) {
            if !isFirst { output.append(0x2C) }
            isFirst = false
            output.append("{\"type\":")
            switch event.type {
            case .nowhere: output.append("\"message\"")
            case .input(let range): output.append(jsonString: chunk.span.extracting(range))
            case .held: output.append(jsonString: parser.heldType.span)
            }
            output.append(",\"data\":")
            switch event.data {
            case .nowhere: output.append("\"\"")
            case .input(let range): output.append(jsonString: chunk.span.extracting(range))
            case .held: output.append(jsonString: parser.heldData.span)
            }
            output.append(",\"lastEventId\":")
            output.append(jsonString: parser.lastEventID.span)
            output.append(0x7D)
        }
    }
}
