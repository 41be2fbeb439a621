import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// Runs: what there is, how each stands, and the one command of this version: stop.
struct RunRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/runs", .role(.viewer), list)
        table.add(.get, "/v1/runs/:id", .role(.viewer), get)
        table.add(.post, "/v1/runs/:id/stop", .role(.operator), stop)
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
        var json = run.json
        if let group = run.group { json["group"] = .object(try await hub.group(group).json) }
        json["steps"] = .array(steps.map { .object($0.json) })
        return .json(json)
    }

    /// `{command_id?}` → `{command, result, reason?, latency_ms}`
    private func stop(_ request: RouteRequest) async throws -> Reply {
        let run = try request.id(RunKind.self)
        let body = try request.optionalJSON()
        let command = try body["command_id"].map { value throws(BelfryError) in
            guard let id = value.string.flatMap({ CommandID($0) }) else {
                throw BelfryError(.malformed, "command_id must be an id such as cmd_…")
            }
            return id
        }
        return .json(try await hub.perform(.stop, on: run, id: command, by: try request.caller()).json)
    }
}

extension CommandAnswer {
    /// `{command, result, reason?, latency_ms}`
    var json: JSONObject {
        var json: JSONObject = ["command": .string(command.description), "result": .string(result.rawValue)]
        if let reason { json["reason"] = .string(reason) }
        json["latency_ms"] = .int(latency.milliseconds)
        return json
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
            "stop_reason": .optional(stopReason?.rawValue),
        ]
    }
}

extension StepRecord {
    fileprivate var json: JSONObject {
        var json: JSONObject = [
            "name": .string(name), "kind": .string(kind), "state": .string(state.rawValue), "attempt": .int(attempt),
            "started": .optional(started?.description), "ended": .optional(ended?.description),
            "output": .optional(output), "error": error?.json ?? .null,
        ]
        json["usage"] = usage ?? .null
        if let reason { json["reason"] = .string(reason.rawValue) }
        if !missing.isEmpty { json["missing"] = .array(missing.map(JSONValue.string)) }
        return json
    }
}
