import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// What has come in, and what became of it.
struct EventRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/events", .role(.viewer), list)
        table.add(.post, "/v1/events", .publisher, checksScopes: true, isBrief: true, publish)
        table.add(.get, "/v1/events/:id", .role(.viewer), get)
        table.add(.get, "/v1/events/:id/why", .role(.viewer), why)
        table.add(.post, "/v1/events/:id/replay", .role(.operator), replay)
    }

    /// CloudEvents, binary, structured or batched; answered like a delivery.
    private func publish(_ request: RouteRequest) async throws -> Reply {
        let published = try await hub.publish(
            source: request.query["source"], HookRoutes.delivery(request), by: try request.caller()
        )
        return .stored(published, isBatch: published.count > 1)
    }

    private func list(_ request: RouteRequest) async throws -> Reply {
        let (limit, cursor) = try request.page()
        let filter = EventFilter(
            source: request.query["source"], type: request.query["type"], status: try request.word("status")
        )
        let page = try await hub.events(filter, limit: limit, cursor: cursor)
        return .list(page.items.map(\.json), next: page.next)
    }

    /// The event as rules see it, with its status and runs beside.
    private func get(_ request: RouteRequest) async throws -> Reply {
        let record = try await hub.event(try request.id(EventKind.self))
        // The event's own JSON ends with a brace; what follows goes in before it.
        var bytes = record.event.json.bytes
        bytes.removeLast()
        var more = JSONWriter()
        more.beginObject()
        more.member("status", record.summary.status.rawValue)
        more.member("runs", .array(record.summary.runs.map { .string($0.description) }))
        more.member("outcomes", .array(try await hub.matches(of: record).map(\.json)))
        more.member("groups", .array(record.summary.groups.map { .object($0.json) }))
        more.member("ruleset_version", record.summary.ruleSetVersion)
        more.member("verified_by", .optional(record.summary.verifiedBy))
        more.member("hops", Int64(record.summary.hops))
        more.endObject()
        return .json(RawJSON(trusted: bytes + [UInt8(ascii: ",")] + more.bytes.dropFirst()))
    }

    /// `{rule?}` → `{event, status, runs, outcomes: [{rule, outcome}]}`
    private func replay(_ request: RouteRequest) async throws -> Reply {
        let body = try request.optionalJSON()
        guard body["rule"] == nil || body["rule"]?.string != nil else {
            throw BelfryError(.malformed, "rule must be the name of a rule")
        }
        let replayed = try await hub.replay(
            try request.id(EventKind.self), rule: body["rule"]?.string, by: try request.caller()
        )
        let outcomes = replayed.outcomes.map { outcome -> JSONValue in
            ["rule": .string(outcome.rule), "outcome": .string(outcome.outcome.rawValue)]
        }
        return .json(
            [
                "event": .string(replayed.event.description), "status": .string(replayed.status.rawValue),
                "runs": .array(replayed.runs.map { .string($0.description) }), "outcomes": .array(outcomes),
            ],
            status: 202
        )
    }

    /// `?rule=NAME` one rule, as it is and as it was; `?rules=N` so many of the nearest.
    private func why(_ request: RouteRequest) async throws -> Reply {
        let id = try request.id(EventKind.self)
        if let rule = request.query["rule"] { return .json(try await hub.why(id, .named(rule))) }
        guard let text = request.query["rules"] else { return .json(try await hub.why(id)) }
        guard let max = Int(text), (0...Limits.whyRulesMax).contains(max) else {
            throw BelfryError(.malformed, "rules must be 0 to \(Limits.whyRulesMax)")
        }
        return .json(try await hub.why(id, .nearest(max: max)))
    }
}

extension MatchRecord {
    /// `{rule, outcome, run?, detail?}`
    fileprivate var json: JSONValue {
        var json: JSONObject = ["rule": .string(rule), "outcome": .string(outcome.rawValue)]
        if let run { json["run"] = .string(run.description) }
        if let detail { json["detail"] = .string(detail) }
        return .object(json)
    }
}

extension EventSummary {
    fileprivate var json: JSONObject {
        [
            "id": .string(id.description), "source": .string(source), "type": .string(type),
            "subject": .optional(subject), "origin": .optional(origin), "key": .optional(key),
            "time": .string(time.description), "received": .string(received.description),
            "status": .string(status.rawValue), "runs": .array(runs.map { .string($0.description) }),
            "groups": .array(groups.map { .object($0.json) }),
            "same_body_as": .optional(sameBodyAs?.description), "hops": .int(hops),
        ]
    }
}
