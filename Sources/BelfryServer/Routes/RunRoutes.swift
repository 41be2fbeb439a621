import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// Runs: what there is, how each stands, and what operators say to those that have not ended.
struct RunRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/runs", .role(.viewer), list)
        table.add(.get, "/v1/runs/:id", .role(.viewer), get)
        for word in CommandWord.allCases {
            table.add(.post, "/v1/runs/:id/\(word.rawValue)", .role(.operator)) { try await perform(word, $0) }
        }
        table.add(.post, "/v1/runs/stop", .role(.operator), stopAll)
        table.add(.post, "/v1/rules/:name/runs", .role(.operator), start)
    }

    private func list(_ request: RouteRequest) async throws -> Reply {
        let (limit, cursor) = try request.page()
        let page = try await hub.runs(
            state: try request.word("state"), rule: request.query["rule"], limit: limit, cursor: cursor
        )
        return .list(page.items.map(\.json), next: page.next)
    }

    private func get(_ request: RouteRequest) async throws -> Reply {
        let (run, steps) = try await hub.run(try request.id(RunKind.self))
        let approvals = try await hub.approvals(isOpen: nil, run: run.id, limit: Limits.pageRowsMax, cursor: nil)
        var json = run.json
        if let group = run.group { json["group"] = .object(try await hub.group(group).json) }
        let said = try await hub.saidSoFar(by: steps)
        json["steps"] = .array(
            steps.map { step in
                var json = step.json
                if let said = said[step.name] { json["said"] = said.value }
                return .object(json)
            })
        json["approvals"] = .array(approvals.items.map { .object($0.json) })
        return .json(json)
    }

    /// → `{command, result, reason?, latency_ms}`
    private func perform(_ word: CommandWord, _ request: RouteRequest) async throws -> Reply {
        let run = try request.id(RunKind.self)
        let (body, id) = try request.command(word.members)
        let command = OperatorCommand(order: try word.order(to: run, body), id: id)
        return .json(try await command.perform(on: hub, by: try request.caller()))
    }

    /// `{rule?}` → `{command, result, stopped, unconfirmed, ended, more, runs?, latency_ms}`
    private func stopAll(_ request: RouteRequest) async throws -> Reply {
        let (body, id) = try request.command(RunsWord.stop.members)
        let command = OperatorCommand(order: try RunsWord.stop.order(body), id: id)
        return .json(try await command.perform(on: hub, by: try request.caller()))
    }

    /// `{event?}` → `{command, result, reason?, event, outcome?, run?, latency_ms}`
    private func start(_ request: RouteRequest) async throws -> Reply {
        var (body, id) = try request.command(["event"])
        body["rule"] = .string(try request.name("name"))
        let command = OperatorCommand(order: try RunsWord.start.order(body), id: id)
        return .json(try await command.perform(on: hub, by: try request.caller()))
    }
}

extension RunRecord {
    var json: JSONObject {
        [
            "id": .string(id.description), "event": .string(event.description), "rule": .string(rule),
            "rule_version": .int(ruleVersion), "state": .string(state.rawValue), "reason": .optional(reason?.rawValue),
            "error": error?.json ?? .null, "attempt": .int(attempt), "created": .string(created.description),
            "started": .optional(started?.description), "ended": .optional(ended?.description),
            "traceparent": .optional(traceparent), "group": .optional(group?.description),
            "stop_reason": .optional(stopReason?.rawValue), "params": params?.value ?? [:],
            "retry_of": .optional(retryOf?.description),
        ]
    }
}

extension StepRecord {
    /// What is shown of ``data``.
    private static let shown: Set = ["value", "event", "adjusted", "http_status", "attempts"]

    fileprivate var json: JSONObject {
        var json: JSONObject = [
            "name": .string(name), "kind": .string(kind), "state": .string(state.rawValue), "attempt": .int(attempt),
            "started": .optional(started?.description), "ended": .optional(ended?.description),
            "output": .optional(output), "error": error?.json ?? .null,
        ]
        json["usage"] = usage ?? .null
        if let due { json["due"] = .string(due.description) }
        for member in data?.value.object?.members ?? [] where Self.shown.contains(member.key) {
            json[member.key] = member.value
        }
        if let reason { json["reason"] = .string(reason.rawValue) }
        if !missing.isEmpty { json["missing"] = .array(missing.map(JSONValue.string)) }
        return json
    }
}
