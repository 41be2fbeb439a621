import BelfryCore
import BelfryEngine

/// An operator's command on runs, as it came in: REST and the WebSocket read it alike.
struct OperatorCommand: Sendable, Equatable {
    enum Order: Sendable, Equatable {
        case run(RunID, RunCommandKind)
        case retry(RunID, from: String?, latest: Bool)
        case start(rule: String, event: JSONObject)
        case stopAll(rule: String?)
        case approval(ApprovalID, Verdict)
    }

    var order: Order
    /// The client's own; nil: the hub makes one.
    var id: CommandID?

    /// - Returns: the answer, also where the run refuses.
    /// - Throws: `forbidden`, `not_found`, and what the store throws.
    func perform(on hub: Hub, by principal: Principal) async throws(BelfryError) -> JSONObject {
        try Access.role(.operator).check(principal)
        try principal.checkUnscoped()
        // Others read who it was: a person, and no browser's session.
        var principal = principal
        principal.name = hub.personName(of: principal)
        switch order {
        case .run(let run, let kind): return try await hub.perform(kind, on: run, id: id, by: principal).json
        case .retry(let run, let step, let latest):
            return try await hub.retry(run, from: step, latest: latest, command: id, by: principal).json
        case .start(let rule, let event):
            return try await hub.startRun(rule: rule, event: event, id: id, by: principal).json
        case .stopAll(let rule): return try await hub.stopRuns(ofRule: rule, id: id, by: principal).json
        case .approval(let approval, let verdict):
            return try await hub.decide(approval, verdict, id: id, by: principal).json
        }
    }
}

extension CommandAnswer {
    /// `{command, result, reason?, …, latency_ms}`
    var json: JSONObject {
        var json: JSONObject = ["command": .string(command.description), "result": .string(result.rawValue)]
        if let reason { json["reason"] = .string(reason) }
        for member in details.members { json[member.key] = member.value }
        json["latency_ms"] = .int(latency.milliseconds)
        return json
    }
}
