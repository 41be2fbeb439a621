import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore
import Synchronization

/// What came of a step.
struct StepResult: Sendable {
    enum End: Sendable, Hashable {
        case succeeded
        case failed(EndReason)
        /// Cut.
        case stopped
        /// Not done, and to be tried again then.
        case again(at: Timestamp)
    }

    var end: End
    /// The step's name; nil if it did not get as far as to say anything.
    var step: String?
    var output: String?
    var error: BelfryError?
    var usage = Usage(inputTokens: nil, outputTokens: nil)
    /// What it counts against the rule's budget.
    var tokens = 0
    /// The open text message, if the step wrote any text.
    var messageID: String?
    /// Template paths that had no value.
    var missing: [String] = []
}

/// One attempt at one step: asks the agent or runs the command and writes its text to the log as it comes, or posts the message.
struct StepPerformance: Sendable {
    let record: StepRecord
    let rule: String
    let work: StepWork
    let services: RunServices

    /// What was said in one go.
    private struct Utterance {
        var text = ""
        var usage = Usage()
        var error: BelfryError?
        /// The open text message, if there is any text.
        var messageID: String?
    }

    /// Returns when all text is in the log. Cancelled: when the socket is closed or the process group is gone.
    func perform() async -> StepResult {
        let buffer = TokenBuffer()
        async let logged: Void = log(buffer)
        let result: StepResult
        switch work {
        case .agent(_, let request, nil):
            result = finish(await utterance(1, of: work, buffer), request)
        case .agent(let agent, let request, let schema?):
            result = await answer(agent, request, schema, buffer)
        case .command:
            result = finish(await utterance(1, of: work, buffer), nil)
        case .send(let message): result = sent(await services.sends.perform(message))
        }
        buffer.finish()
        await logged
        return result
    }

    /// An answer that is JSON of a schema; the agent may mend it once.
    private func answer(
        _ agent: any Agent, _ asked: AgentRequest, _ schema: JSONSchema, _ buffer: TokenBuffer
    ) async -> StepResult {
        let first = await utterance(1, of: work, buffer)
        var result = finish(first, asked)
        guard result.error == nil else { return result }
        guard case .faulty(let faults) = StructuredAnswer(first.text, schema) else {
            return result.holding(StructuredAnswer(first.text, schema))
        }
        var request = asked
        request.messages += [.assistant(first.text, toolCalls: []), .user(StructuredAnswer.repairPrompt(faults))]
        if let message = first.messageID { await buffer.append(frame(.textMessageEnd, message)) }
        let second = await utterance(2, of: .agent(agent, request, schema), buffer)
        let tokens = result.tokens
        let usage = result.usage + second.usage
        result = finish(second, request)
        (result.tokens, result.usage) = (result.tokens + tokens, usage)
        guard result.error == nil else { return result }
        return result.holding(StructuredAnswer(second.text, schema))
    }

    /// - Parameter turn: counts what was said in this attempt, from 1.
    private func utterance(
        _ turn: Int, of work: StepWork, _ buffer: TokenBuffer
    ) async -> Utterance {
        let message = "\(record.name).\(record.attempt)" + (turn > 1 ? ".\(turn)" : "")
        let said = Mutex(Utterance())
        var error: BelfryError?
        do throws(BelfryError) {
            try await run(work) { output in
                switch output {
                case .text(let delta) where !delta.isEmpty:
                    let isFirst = said.withLock { said in
                        defer { said.messageID = message }
                        said.text += delta
                        return said.messageID == nil
                    }
                    if isFirst { await buffer.append(frame(.textMessageStart, message, ["role": "assistant"])) }
                    await buffer.append(frame(.textMessageContent, message, ["delta": .string(delta)]))
                case .text, .started, .toolCallStarted, .toolCallArguments, .toolCallEnded, .finished:
                    break
                case .usage(let usage): said.withLock { $0.usage = usage }
                case .log(let line):
                    await buffer.append(frame(.custom, message, ["name": "log", "value": .string(line)]))
                }
            }
        } catch let failure {
            error = failure
        }
        var utterance = said.withLock { $0 }
        utterance.error = error
        return utterance
    }

    private func run(_ work: StepWork, emit: (AgentOutput) async throws -> Void) async throws(BelfryError) {
        switch work {
        case .agent(let agent, let request, _): try await agent.run(request, emit: emit)
        case .command(let request): try await services.commands.run(request, emit: emit)
        case .send: throw BelfryError(.internal, "a message says nothing")
        }
    }

    private func finish(_ said: Utterance, _ request: AgentRequest?) -> StepResult {
        let tokens = request?.tokens(said.usage, outputBytes: said.text.utf8.count, hasFailed: said.error != nil)
        return StepResult(
            end: said.error.map(Self.end(of:)) ?? .succeeded, step: record.name, output: said.text, error: said.error,
            usage: said.usage, tokens: tokens ?? 0, messageID: said.messageID)
    }

    private func sent(_ outcome: SendOutcome) -> StepResult {
        switch outcome {
        case .delivered(_, let excerpt): StepResult(end: .succeeded, step: record.name, output: excerpt)
        case .again(let due, let error): StepResult(end: .again(at: due), step: record.name, error: error)
        case .failed(let error): StepResult(end: Self.end(of: error), step: record.name, error: error)
        }
    }

    private func log(_ buffer: TokenBuffer) async {
        while await buffer.hasFrames() {
            do throws(BelfryError) {
                try await services.append(tokens: buffer.offer)
                buffer.removeOffered()
            } catch {
                // Shutdown: the step begins anew at the next start, with a new message.
                buffer.cancel()
            }
        }
    }

    private func frame(
        _ type: FrameType, _ message: String, _ members: KeyValuePairs<String, JSONValue> = [:]
    ) -> DraftFrame {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("step", record.name)
        writer.member("messageId", message)
        for (key, value) in members { writer.member(key, value) }
        writer.endObject()
        return DraftFrame(
            time: services.now, topic: .run(record.run), run: record.run, rule: rule, type: type,
            data: RawJSON(trusted: writer.bytes)
        )
    }

    private static func end(of error: BelfryError) -> StepResult.End {
        switch error.code {
        case .cancelled, .stopUnconfirmed: .stopped
        case .agentTimeout: .failed(.timeout)
        default: .failed(.error)
        }
    }
}

/// What a step does, ready to be done: rendered, with its program found and its key read.
enum StepWork: Sendable {
    /// With the schema that the answer must satisfy; nil: it is text.
    case agent(any Agent, AgentRequest, JSONSchema?)
    case command(CommandRequest)
    case send(SendWork)
}

extension AgentRequest {
    /// What an agent has used: as its provider counts, else by the length of prompt and output. What failed before
    /// anything was said has used nothing.
    fileprivate func tokens(_ usage: Usage, outputBytes: Int, hasFailed: Bool) -> Int {
        let isCounted = usage.inputTokens != nil || usage.outputTokens != nil
        guard isCounted || outputBytes > 0 || !hasFailed else { return 0 }
        func count(_ reported: Int?, bytes: Int) -> Int {
            let tokens = reported ?? (bytes + Limits.bytesPerToken - 1) / Limits.bytesPerToken
            return min(max(tokens, 0), Limits.ruleTokensPerDayMax)
        }
        return count(usage.inputTokens, bytes: messageBytes) + count(usage.outputTokens, bytes: outputBytes)
    }
}

extension StepResult {
    /// With the value as its output, or failed of what is wrong with it.
    fileprivate func holding(_ answer: StructuredAnswer) -> StepResult {
        var result = self
        switch answer {
        case .value(let value): result.output = value.text
        case .faulty(let faults):
            let error = BelfryError(.outputInvalid, "the answer does not fit its schema: \(faults)")
            (result.end, result.error) = (.failed(.error), error)
        }
        return result
    }
}

extension Usage {
    fileprivate static func + (left: Usage, right: Usage) -> Usage {
        func sum(_ left: Int?, _ right: Int?) -> Int? {
            left.map { min($0 + (right ?? 0), Limits.ruleTokensPerDayMax) } ?? right
        }
        return Usage(
            inputTokens: sum(left.inputTokens, right.inputTokens),
            outputTokens: sum(left.outputTokens, right.outputTokens))
    }
}
