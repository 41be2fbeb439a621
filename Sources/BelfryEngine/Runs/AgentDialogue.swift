import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore

/// What an agent step asks, and what the agent may call.
struct AgentTask: Sendable {
    var agent: any Agent
    var request: AgentRequest
    /// What the rule says of it.
    var step: AgentStep
    var toolbox: Toolbox
    /// What its tokens cost; nil: nobody has said.
    var price: TokenPrice?
    /// Of the rule's version, for a rule that is gone.
    var limits = RuleLimits()
    /// Of an attempt that goes on after a question; nil: it begins.
    var conversation: Conversation?
    /// The question that it waited for, decided.
    var decision: ApprovalRecord?
}

/// A call that a person is asked about.
struct ToolQuestion: Sendable, Hashable {
    /// The call's id, unique in the run.
    var call: String
    var tool: String
    var arguments: JSONValue
    /// JSON Schema of the arguments.
    var schema: JSONValue
    var lifetime: Duration
    /// To go on from when it is decided.
    var conversation: Conversation

    /// For a person. Arguments that are too long to be read in a line stand beside it alone.
    func message(step: String) -> String {
        let text = arguments.text
        let with = text.utf8.count <= Limits.questionBytesMax / 4 ? text : "\(text.utf8.count) bytes of arguments"
        return "Step \(step) wants to call \(tool) with \(with.plain(bytesMax: Limits.questionBytesMax / 2))"
    }
}

/// Asks an agent, does what it calls, tells it what came of that, and asks again, until it has answered or a person is
/// to be asked.
struct AgentDialogue {
    private let task: AgentTask
    private let log: StepLog
    private let services: RunServices
    private var talk: Conversation
    /// Used and not counted yet, as the rule's budget counts it.
    private var spent = Spending()

    init(_ task: AgentTask, log: StepLog, services: RunServices) {
        self.task = task
        self.log = log
        self.services = services
        talk = task.conversation ?? Conversation(task.request.messages)
    }

    mutating func perform() async -> StepResult {
        while true {
            do throws(BelfryError) {
                try await checkBudget()
                if let question = try await answerCalls() { return asking(question) }
                try checkLimits()
            } catch {
                return result(of: Utterance(text: talk.lastText, error: error))
            }
            let said = await ask()
            let spent = spending(on: said)
            self.spent = self.spent + spent
            talk.add(said.text, calls: said.calls, usage: said.usage, spent: spent)
            guard said.error == nil else { return result(of: said) }
            if !said.calls.isEmpty {
                await log.end(said)
                guard task.step.tools.isEmpty else { continue }
                return result(of: Utterance(text: said.text, error: await refuse(said.calls)))
            }
            guard let schema = task.step.schema else { return result(of: said) }
            switch StructuredAnswer(said.text, schema) {
            case .value(let value): return result(of: said, output: value.text)
            case .faulty(let faults) where talk.isRepaired:
                let error = BelfryError(.outputInvalid, "the answer does not fit its schema: \(faults)")
                return result(of: said, error: error)
            case .faulty(let faults):
                await log.end(said)
                talk.askToMend(StructuredAnswer.repairPrompt(faults))
            }
        }
    }

    // MARK: - Asking

    private mutating func ask() async -> Utterance {
        let request = request
        let begun = ContinuousClock.now
        let said = await log.write(turn: talk.turns + 1) { emit throws(BelfryError) in
            try await task.agent.run(request, emit: emit)
        }
        talk.worked += .now - begun
        return said
    }

    /// What is asked next, with all that was said so far.
    private var request: AgentRequest {
        var request = task.request
        request.messages = talk.messages
        request.tools = task.toolbox.definitions
        request.timeout = timeLeft
        return request
    }

    private var timeLeft: Duration? { task.request.timeout.map { $0 - talk.worked } }

    /// An answer to what was called may be one more, and one to mend another.
    private func checkLimits() throws(BelfryError) {
        try checkTime()
        let turnsMax = task.step.tools.isEmpty ? 1 : task.step.turns
        guard talk.turns < turnsMax + (talk.isRepaired ? 1 : 0) else {
            throw BelfryError(
                .agentLimit,
                "the agent was asked \(talk.turns.counted("time")) and still calls tools; raise turns of the step, or say in its prompt when it is done"
            )
        }
        guard request.messageBytes <= Limits.conversationBytesMax else {
            throw BelfryError(
                .agentLimit,
                "agent and tools have said more than \(Limits.conversationBytesMax) bytes in one attempt; let tools answer with less"
            )
        }
        if let most = task.step.tokensMax, talk.spent.tokens >= most {
            throw BelfryError(
                .agentLimit, "the attempt has used \(talk.spent.tokens) tokens, and tokens of the step allows \(most)")
        }
    }

    /// What follows a turn is another one. Looked at before the calls in between, so that none is done, and nobody is asked
    /// about one, of which the agent will not hear.
    private mutating func checkBudget() async throws(BelfryError) {
        let run = task.toolbox.run
        let limits = services.registry.limits(ofRule: run.rule) ?? task.limits
        guard talk.turns > 0, limits.boundsTheDay else { return }
        let isUsedUp = try await services.patiently { [spent] () throws(BelfryError) in
            try await services.store.count(spent, rule: run.rule, limits: limits)
        }
        spent = Spending()
        if isUsedUp { throw .usedUp(limits) }
    }

    private func checkTime() throws(BelfryError) {
        if let timeLeft, timeLeft <= .zero {
            throw BelfryError(.agentTimeout, "agent and tools have worked longer than the step's timeout")
        }
    }

    /// What was used: as the provider counts, else by the length of what was asked and answered. What failed before
    /// anything was said has used nothing.
    private func spending(on said: Utterance) -> Spending {
        let isCounted = said.usage.inputTokens != nil || said.usage.outputTokens != nil
        let outputBytes = said.calls.reduce(said.text.utf8.count) { $0 + $1.asked.arguments.utf8.count }
        guard isCounted || outputBytes > 0 || said.error == nil else { return Spending() }
        func count(_ reported: Int?, bytes: Int) -> Int {
            let tokens = reported ?? (bytes + Limits.bytesPerToken - 1) / Limits.bytesPerToken
            return min(max(tokens, 0), Limits.ruleTokensPerDayMax)
        }
        let input = count(said.usage.inputTokens, bytes: request.messageBytes)
        let output = count(said.usage.outputTokens, bytes: outputBytes)
        let cost = task.price?.cost(inputTokens: input, outputTokens: output) ?? Cost()
        return Spending(tokens: input + output, cost: cost)
    }

    // MARK: - Tools

    /// Does what was called, one after the other.
    /// - Returns: what a person is to be asked first; the calls from there on are not done.
    private mutating func answerCalls() async throws(BelfryError) -> ToolQuestion? {
        while let call = talk.calls.first {
            let permission: Permission
            do throws(Toolbox.Refusal) {
                permission = try self.permission(for: call)
            } catch {
                try await note("tool.refused", call, ["reason": .string(error.text)])
                await answer(call, error.text, isError: true)
                continue
            }
            switch permission {
            case .asked(let ready): return question(call, ready)
            case .given(let ready, let preface): try await perform(ready, call, preface)
            }
        }
        return nil
    }

    /// Of an agent that may call nothing: it would not hear of it.
    /// - Returns: why its step fails.
    private mutating func refuse(_ calls: [Conversation.Call]) async -> BelfryError {
        let reason = "the step grants no tools"
        for call in calls {
            do throws(BelfryError) {
                try await note("tool.refused", call, ["reason": .string(reason)])
            } catch {
                return error
            }
            await answer(call, reason, isError: true)
        }
        let name = calls[0].asked.name.plain(bytesMax: Limits.nameBytesMax)
        return BelfryError(.agentFailed, "the agent calls \(name) instead of answering, and \(reason)")
    }

    private enum Permission {
        /// `preface`: what the model is told before the tool's answer.
        case given(Toolbox.Ready, preface: String)
        /// A person is to be asked.
        case asked(Toolbox.Ready)
    }

    private func permission(for call: Conversation.Call) throws(Toolbox.Refusal) -> Permission {
        var ready = try task.toolbox.check(call.asked)
        guard ready.grant.asks else { return .given(ready, preface: "") }
        guard let decision = task.decision, decision.call?.value["id"]?.string == call.id else { return .asked(ready) }
        guard decision.decision == .approve else {
            if decision.reason == "expired" {
                throw Toolbox.Refusal("Nobody has allowed this call in time. It was not done.")
            }
            throw Toolbox.Refusal(
                "A person has denied this call\(decision.reason.map { ": \($0)" } ?? ""). It was not done.")
        }
        guard let changed = decision.value?.value, changed != ready.arguments else { return .given(ready, preface: "") }
        try task.toolbox.check(changed, of: ready.grant)
        ready.arguments = changed
        return .given(ready, preface: "A person has changed the arguments to \(changed.text).\n")
    }

    /// A tool that fails does not fail the step: the model is told.
    private mutating func perform(
        _ ready: Toolbox.Ready, _ call: Conversation.Call, _ preface: String
    ) async throws(BelfryError) {
        try checkTime()
        let arguments = ready.arguments.text.cut(toBytes: Limits.auditTextBytesMax)
        try await note("tool.called", call, ["arguments": .string(arguments)])
        await log.writeBegin(of: call.id)
        let begun = ContinuousClock.now
        defer { talk.worked += .now - begun }
        do throws(BelfryError) {
            let time = timeLeft ?? Limits.stepTimeoutMax
            let text = try await task.toolbox.perform(ready, id: call.id, within: max(time, .milliseconds(1)))
            try await note("tool.answered", call, ["bytes": .int(text.utf8.count)])
            await answer(call, preface + text, isError: false)
        } catch {
            guard !Task.isCancelled, error.code != .cancelled, !error.leavesWork else { throw error }
            try await note("tool.failed", call, ["error": StoredError(error).json])
            await answer(call, "\(preface)The tool has failed: \(error.message)", isError: true)
        }
    }

    private mutating func answer(_ call: Conversation.Call, _ text: String, isError: Bool) async {
        await log.writeAnswer(to: call.id, text, isError: isError)
        talk.answerCall(text, isError: isError)
    }

    private func question(_ call: Conversation.Call, _ ready: Toolbox.Ready) -> ToolQuestion {
        ToolQuestion(
            call: call.id, tool: ready.grant.name, arguments: ready.arguments, schema: ready.grant.input.json,
            lifetime: ready.grant.expires, conversation: talk)
    }

    /// What is done is told before and after.
    private func note(_ action: String, _ call: Conversation.Call, _ detail: JSONObject) async throws(BelfryError) {
        let run = task.toolbox.run
        var members: JSONObject = [
            "step": .string(task.toolbox.step), "call": .string(call.id), "tool": .string(call.asked.name),
        ]
        for member in detail.members { members[member.key] = member.value }
        var change = RunChange(run: run.id, from: [.running])
        change.audit = [AuditDraft(by: .hub, action: action, subject: run.id.description, detail: members)]
        try await services.commit(change)
    }

    // MARK: - Results

    private func asking(_ question: ToolQuestion) -> StepResult {
        var result = StepResult(end: .asks(question), step: task.toolbox.step)
        result.spent = spent
        return result
    }

    private func result(of said: Utterance, output: String? = nil, error: BelfryError? = nil) -> StepResult {
        var result = StepResult(said, step: task.toolbox.step)
        if let output { result.output = output }
        if let error { (result.end, result.error) = (.failed(.error), error) }
        result.usage = talk.usage
        result.cost = task.price.map { _ in talk.spent.cost }
        result.spent = spent
        return result
    }
}
