import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// Questions of runs to people, and what people say to them.
struct ApprovalRoutes {
    let hub: Hub

    /// `?state=`
    private enum State: String, CaseIterable {
        case open, decided
    }

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/approvals", .role(.viewer), list)
        table.add(.get, "/v1/approvals/:id", .role(.viewer), get)
        for word in VerdictWord.allCases {
            table.add(.post, "/v1/approvals/:id/\(word.rawValue)", .role(.operator)) { try await decide(word, $0) }
        }
    }

    private func list(_ request: RouteRequest) async throws -> Reply {
        let (limit, cursor) = try request.page()
        let run = try request.query["run"].map { text throws(BelfryError) in
            guard let run = RunID(text) else { throw BelfryError(.malformed, "run must be an id such as run_…") }
            return run
        }
        let isOpen = try request.word("state", of: State.self).map { $0 == .open }
        let page = try await hub.approvals(isOpen: isOpen, run: run, limit: limit, cursor: cursor)
        return .list(page.items.map(\.json), next: page.next)
    }

    private func get(_ request: RouteRequest) async throws -> Reply {
        .json(try await hub.approval(try request.id(ApprovalKind.self)).json)
    }

    /// `{value?, command_id?}` or `{reason?, command_id?}` → `{command, result, reason?, latency_ms}`
    private func decide(_ word: VerdictWord, _ request: RouteRequest) async throws -> Reply {
        let approval = try request.id(ApprovalKind.self)
        let (body, id) = try request.command(word.members)
        let command = OperatorCommand(order: .approval(approval, try word.verdict(body)), id: id)
        return .json(try await command.perform(on: hub, by: try request.caller()))
    }
}

extension ApprovalRecord {
    var json: JSONObject {
        [
            "id": .string(id.description), "run": .string(run.description), "rule": .string(rule),
            "step": .string(name), "message": .string(message), "call": call?.value ?? .null,
            "schema": schema?.value ?? .null,
            "guards": .array(guards.map(JSONValue.string)), "state": decision == nil ? "open" : "decided",
            "requested": .string(requested.description), "expires": .string(expires.description),
            "decision": .optional(decision?.rawValue), "decided": .optional(decided?.description),
            "decided_by": .optional(decidedBy), "value": value?.value ?? .null, "reason": .optional(reason),
        ]
    }
}
