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

/// One attempt at one step: asks the agent or runs the command, and writes its text to the log as it comes.
struct StepPerformance: Sendable {
    let record: StepRecord
    let rule: String
    let work: StepWork
    let services: RunServices

    /// Identifies the text of this attempt among the run's messages.
    var messageID: String { "\(record.name).\(record.attempt)" }

    /// Returns when all text is in the log. Cancelled: when the socket is closed or the process group is gone.
    func perform() async -> StepResult {
        let buffer = TokenBuffer()
        async let logged: Void = log(buffer)
        let text = Mutex((output: "", usage: Usage(inputTokens: nil, outputTokens: nil), hasText: false))
        let failure = await run { (output: AgentOutput) in
            switch output {
            case .text(let delta) where !delta.isEmpty:
                let isFirst = text.withLock { state in
                    defer { state.hasText = true }
                    state.output += delta
                    return !state.hasText
                }
                if isFirst { await buffer.append(frame(.textMessageStart, ["role": "assistant"])) }
                await buffer.append(frame(.textMessageContent, ["delta": .string(delta)]))
            case .text, .started, .toolCallStarted, .toolCallArguments, .toolCallEnded, .finished:
                break
            case .usage(let usage):
                text.withLock { $0.usage = usage }
            case .log(let line):
                await buffer.append(frame(.custom, ["name": "log", "value": .string(line)]))
            }
        }
        buffer.finish()
        await logged
        let (output, usage, hasText) = text.withLock { $0 }
        return StepResult(
            end: failure.map(Self.end(of:)) ?? .succeeded,
            step: record.name,
            output: output,
            error: failure,
            usage: usage,
            tokens: work.tokens(usage, outputBytes: output.utf8.count, hasFailed: failure != nil),
            messageID: hasText ? messageID : nil
        )
    }

    private func run(emit: (AgentOutput) async throws -> Void) async -> BelfryError? {
        do throws(BelfryError) {
            switch work {
            case .agent(let agent, let request): try await agent.run(request, emit: emit)
            case .command(let request): try await services.commands.run(request, emit: emit)
            }
            return nil
        } catch {
            return error
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

    private func frame(_ type: FrameType, _ members: KeyValuePairs<String, JSONValue>) -> DraftFrame {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("step", record.name)
        writer.member("messageId", messageID)
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
    case agent(any Agent, AgentRequest)
    case command(CommandRequest)

    var isCommand: Bool { if case .command = self { true } else { false } }

    /// What an agent has used: as its provider counts, else by the length of prompt and output. What failed before
    /// anything was said has used nothing.
    func tokens(_ usage: Usage, outputBytes: Int, hasFailed: Bool) -> Int {
        guard case .agent(_, let request) = self else { return 0 }
        let isCounted = usage.inputTokens != nil || usage.outputTokens != nil
        guard isCounted || outputBytes > 0 || !hasFailed else { return 0 }
        func count(_ reported: Int?, bytes: Int) -> Int {
            let tokens = reported ?? (bytes + Limits.bytesPerToken - 1) / Limits.bytesPerToken
            return min(max(tokens, 0), Limits.ruleTokensPerDayMax)
        }
        return count(usage.inputTokens, bytes: request.messageBytes)
            + count(usage.outputTokens, bytes: outputBytes)
    }
}
