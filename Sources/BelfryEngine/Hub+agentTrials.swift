import BelfryAgents
public import BelfryCore
import BelfryStore
import Synchronization

extension Hub {
    /// Asks an agent one thing, as a step would, and times its answer. No run is made, and nothing of it is kept but
    /// who did it.
    ///
    /// - Parameter prompt: nil asks for one word.
    /// - Returns: `{agent, kind, ok, text, first_token_ms?, total_ms, usage?, error?: {code, message}}`; an agent that
    ///   fails is an answer, too.
    /// - Throws: `not_found`; `overloaded` while ``Limits/agentTrialsMax`` others are under way.
    public func testAgent(
        _ name: String, prompt: String? = nil, by principal: Principal
    ) async throws(BelfryError) -> JSONObject {
        let id = DocumentName(.agent, name)
        try checkExists(id)
        guard trials.begin() else {
            throw BelfryError(
                .overloaded, "\(Limits.agentTrialsMax) agents are being tested; try again", retryAfter: .seconds(5))
        }
        defer { trials.end() }
        let began = ContinuousClock.now
        var said = AgentTrial()
        do throws(BelfryError) {
            guard let agent = registry.snapshot.agents[name] else {
                throw BelfryError(
                    .invalidDocument, registry.snapshot.problems[id] ?? "the agent's document can't be read")
            }
            said = try await ask(agent, prompt ?? "Answer with the one word: ready", since: began)
        } catch {
            said.error = error
        }
        let answer = said.json(agent: name, document: registry.snapshot.records[id]?.canonical.value, since: began)
        try await store.record([
            AuditDraft(
                by: principal, action: "agent.tested", subject: "agent/\(name)",
                detail: ["ok": .bool(said.error == nil), "error": .optional(said.error?.code.rawValue)])
        ])
        return answer
    }

    /// What the agent says within ``Limits/agentTrialTimeout``. An error that comes behind some text is in it.
    private func ask(
        _ agent: AgentDefinition, _ prompt: String, since began: ContinuousClock.Instant
    ) async throws(BelfryError) -> AgentTrial {
        let now = configuration.clock.now()
        let event = Event(
            id: EventID(at: now), source: Self.manualSource, type: "test", time: now, received: now, remote: "local",
            data: .emptyObject)
        var request = AgentRequest(
            run: RunID(at: now), step: "test", prompt: prompt, input: event.json, timeout: Limits.agentTrialTimeout)
        var missing: [String] = []
        let context: JSONObject = [
            "event": event.value, "group": .null, "source": .string(event.source), "params": [:], "steps": [:],
            "rule": ["name": "test", "version": 0], "run": ["id": .string(request.run.description), "attempt": 1],
        ]
        let live = try services.agent(agent, for: &request, context: context, missing: &missing)
        return await withTaskGroup(of: AgentTrial?.self) { [request] group in
            group.addTask { await AgentTrial(asking: live, request, since: began) }
            group.addTask {
                try? await ContinuousClock().sleep(for: Limits.agentTrialTimeout)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            guard first == nil else { return first ?? AgentTrial() }
            // Cut, it tells what it has said so far.
            var cut = await group.next().flatMap(\.self) ?? AgentTrial()
            cut.error = BelfryError(
                .agentTimeout, "the agent has not ended within \(Limits.agentTrialTimeout.shorthand)")
            return cut
        }
    }
}

/// How many agents are being tested.
final class AgentTrials: Sendable {
    private let count = Mutex(0)

    /// - Returns: false if that would be too many.
    func begin() -> Bool {
        count.withLock { count in
            guard count < Limits.agentTrialsMax else { return false }
            count += 1
            return true
        }
    }

    func end() { count.withLock { $0 -= 1 } }
}

/// What an agent said when it was tried, and when.
private struct AgentTrial: Sendable {
    /// Its beginning.
    var text = ""
    var firstText: Duration?
    var usage = Usage()
    var error: BelfryError?

    init() {}

    init(asking agent: any Agent, _ request: AgentRequest, since began: ContinuousClock.Instant) async {
        let said = Mutex(AgentTrial())
        var failure: BelfryError?
        do throws(BelfryError) {
            try await agent.run(request) { output in
                said.withLock { said in
                    switch output {
                    case .text(let delta) where !delta.isEmpty:
                        if said.firstText == nil { said.firstText = .now - began }
                        if said.text.utf8.count < Limits.agentTrialTextBytesMax { said.text += delta }
                    case .usage(let usage): said.usage = usage
                    default: break
                    }
                }
            }
        } catch {
            failure = error
        }
        self = said.withLock { $0 }
        error = failure
    }

    func json(agent: String, document: JSONValue?, since began: ContinuousClock.Instant) -> JSONObject {
        let total: Duration = .now - began
        var json: JSONObject = [
            "agent": .string(agent), "kind": document?["kind"] ?? .null, "ok": .bool(error == nil),
            "text": .string(text.plain(bytesMax: Limits.agentTrialTextBytesMax)),
            "first_token_ms": firstText.map { .int($0.milliseconds) } ?? .null, "total_ms": .int(total.milliseconds),
        ]
        if let model = document?["model"] { json["model"] = model }
        if usage.inputTokens != nil || usage.outputTokens != nil {
            json["usage"] = [
                "input_tokens": usage.inputTokens.map { .int($0) } ?? .null,
                "output_tokens": usage.outputTokens.map { .int($0) } ?? .null,
            ]
        }
        if let error { json["error"] = ["code": .string(error.code.rawValue), "message": .string(error.message)] }
        return json
    }
}
