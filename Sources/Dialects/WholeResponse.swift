import Metering
import StreamBytes

/// A provider's answer that was not streamed, in OpenAI's form, for a client that speaks it too.
package struct WholeResponse: Sendable {
    /// The answer as received but for its `model`.
    package let body: [UInt8]
    /// Nil when the provider gave no reason.
    package let finish: FinishReason?
    /// Tokens in the meter's form; nil when the provider reported none.
    package let usage: TokenUsage?
    /// What all choices hold, for the estimate.
    package let countedOutput: OutputCount

    /// Reads an answer.
    ///
    /// - Parameters:
    ///   - body: of an answer with status 200.
    ///   - model: what the client asked for.
    /// - Throws: `ProviderFailure`: the body is an error object or cannot be read.
    package init(parsing body: [UInt8], model: String) throws(ProviderFailure) {
        var answer = Answer(mode: .raw(model: model, includesUsage: true))
        var reader = ChatChunkReader(readsWholeAnswers: true)
        var batch = DeltaBatch()
        var text = body
        if !text.span.isUTF8(in: 0..<text.count) {
            text = []
            text.append(repairing: body.span, 0..<body.count)
        }
        do {
            try reader.read(text.span, .message, &answer, &batch)
        } catch {
            throw .unreadable("the provider's answer is no JSON that can be read")
        }
        if let failure = answer.failure { throw failure }
        guard !batch.isEmpty, !answer.isTerminal else {
            throw .unreadable("the provider's answer is empty")
        }
        self.body = batch.bytes
        finish = answer.finish == .stop && answer.hasRefusal ? .refusal : answer.finish
        usage = answer.counters.normalised(.openAI)
        countedOutput = answer.counted
    }
}
