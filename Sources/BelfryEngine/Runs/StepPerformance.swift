import BelfryAgents
import BelfryCore
import BelfryStore

/// What came of a step.
struct StepResult: Sendable {
    enum End: Sendable, Hashable {
        case succeeded
        case failed(EndReason)
        /// Cut.
        case stopped
        /// Not done, and to be tried again then.
        case again(at: Timestamp)
        /// An agent calls a tool about which a person is to be asked.
        case asks(ToolQuestion)
    }

    var end: End
    /// The step's name; nil if it did not get as far as to say anything.
    var step: String?
    var output: String?
    var error: BelfryError?
    var usage = Usage(inputTokens: nil, outputTokens: nil)
    /// What it counts against the rule's budget.
    var spent = Spending()
    /// Of the whole attempt; nil where the agent has no prices.
    var cost: Cost?
    /// The open text message, if the step wrote any text.
    var messageID: String?
    /// Template paths that had no value.
    var missing: [String] = []
    /// What came of the attempt at a message.
    var sent: SendAttempt?
}

/// One attempt at one step: asks the agent or runs the command and writes its text to the log as it comes, or posts the
/// message.
struct StepPerformance: Sendable {
    let record: StepRecord
    let rule: String
    let work: StepWork
    let services: RunServices

    /// Returns when all text is in the log. Cancelled: when the socket is closed or the process group is gone.
    func perform() async -> StepResult {
        let log = StepLog(record: record, rule: rule, services: services)
        async let carried: Void = log.carry()
        let result = await result(log)
        log.buffer.finish()
        await carried
        return result
    }

    private func result(_ log: StepLog) async -> StepResult {
        switch work {
        case .agent(let task):
            var dialogue = AgentDialogue(task, log: log, services: services)
            return await dialogue.perform()
        case .command(let request):
            let said = await log.write { emit throws(BelfryError) in
                try await services.commands.run(request, emit: emit)
            }
            return StepResult(said, step: record.name)
        case .send(let message):
            return StepResult(await services.sends.perform(message), step: record.name)
        }
    }
}

/// What a step does, ready to be done: rendered, with its program found and its key read.
enum StepWork: Sendable {
    case agent(AgentTask)
    case command(CommandRequest)
    case send(SendWork)
}

extension StepResult {
    /// Of what was said last.
    init(_ said: Utterance, step: String) {
        self.init(
            end: said.error.map { Self.end(of: $0) } ?? .succeeded, step: step, output: said.text, error: said.error,
            usage: said.usage, messageID: said.messageID)
    }

    fileprivate init(_ outcome: SendOutcome, step: String) {
        switch outcome {
        case .delivered(_, let excerpt): self.init(end: .succeeded, step: step, output: excerpt)
        case .again(let due, let error): self.init(end: .again(at: due), step: step, error: error)
        case .failed(let error): self.init(end: Self.end(of: error), step: step, error: error)
        }
        sent = SendAttempt(outcome)
    }

    private static func end(of error: BelfryError) -> End {
        switch error.code {
        case .cancelled, .stopUnconfirmed: .stopped
        case .agentTimeout: .failed(.timeout)
        case .budget: .failed(.budget)
        default: .failed(.error)
        }
    }
}
