import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// The record of who did what, and whether it is whole.
struct AuditRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/audit", .role(.viewer), list)
        table.add(.get, "/v1/audit/verify", .role(.viewer), verify)
    }

    /// Newest first; with `?after=SEQUENCE` oldest first, for who follows it.
    private func list(_ request: RouteRequest) async throws -> Reply {
        let (limit, cursor) = try request.page()
        guard let text = request.query["after"] else {
            let page = try await hub.audit(cursor: cursor, limit: limit)
            return .list(page.items.map(\.json), next: page.next)
        }
        guard let after = Int64(text), after >= 0 else {
            throw BelfryError(.malformed, "after must be a sequence number")
        }
        return .list(try await hub.audit(after: after, limit: limit).map(\.json))
    }

    private func verify(_ request: RouteRequest) async throws -> Reply {
        let verification = try await hub.verifyAudit()
        var json: JSONObject = [
            "ok": .bool(verification.isIntact), "entries": .int(verification.entries),
            "head": .string(Hex.encode(verification.head)),
        ]
        if let broken = verification.brokenAt { json["broken_at"] = .int(broken) }
        if let problem = verification.problem { json["problem"] = .string(problem) }
        return .json(json)
    }
}

extension AuditEntry {
    fileprivate var json: JSONObject {
        [
            "seq": .int(sequence), "time": .string(time.description), "actor": .string(actor),
            "action": .string(action), "subject": .string(subject), "detail": detail.value,
            "hash": .string(Hex.encode(hash)),
        ]
    }
}
