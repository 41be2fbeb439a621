import BelfryCore
import BelfryEngine

/// An operator's command on a live run, as it came in: REST and the WebSocket read it alike.
struct OperatorCommand: Sendable, Equatable {
    enum Order: Sendable, Equatable {
        case run(RunID, RunCommandKind)
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
        switch order {
        case .run(let run, let kind): return try await hub.perform(kind, on: run, id: id, by: principal).json
        case .approval(let approval, let verdict):
            return try await hub.decide(approval, verdict, id: id, by: principal).json
        }
    }
}

extension CommandAnswer {
    /// `{command, result, reason?, run?, latency_ms}`
    var json: JSONObject {
        var json: JSONObject = ["command": .string(command.description), "result": .string(result.rawValue)]
        if let reason { json["reason"] = .string(reason) }
        if let run { json["run"] = .string(run.description) }
        json["latency_ms"] = .int(latency.milliseconds)
        return json
    }
}
