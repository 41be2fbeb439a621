import BelfryCore
import BelfryEngine
import HTTPTypes

/// Rules that are tried before they are trusted: on one event, and on the stored ones.
struct RuleTrialRoutes {
    let hub: Hub
    let clock: WallClock

    func add(to table: inout RouteTable) {
        table.add(.post, "/v1/rules/test", .role(.viewer), test)
        table.add(.post, "/v1/rules/backtest", .role(.operator), startBacktest)
        table.add(.get, "/v1/rules/backtest/:id", .role(.operator)) { request in
            .json(try hub.backtest(try request.id(BacktestKind.self)))
        }
        table.add(.delete, "/v1/rules/backtest/:id", .role(.operator)) { request in
            try hub.cancelBacktest(try request.id(BacktestKind.self))
            return .empty(204)
        }
    }

    /// `{rule: text | name, name?, path?, last? | from?, to?, source?, run_takes?}` → 202 and where it can be asked for
    private func startBacktest(_ request: RouteRequest) async throws -> Reply {
        let body = try request.json()
        let to = try body.time("to") ?? clock.now()
        let from = try body.time("from") ?? to - (try body.duration("last") ?? .seconds(86400))
        var backtest = BacktestRequest(
            rule: try RuleChoice(body), name: body["name"]?.string, from: from, to: to, source: body["source"]?.string)
        backtest.runTakes = try body.duration("run_takes") ?? backtest.runTakes
        let id = try await hub.startBacktest(backtest)
        return .json(
            try hub.backtest(id), status: 202, headers: [(name: "location", value: "/v1/rules/backtest/\(id)")])
    }

    /// `{rule: text | name, event: object | id, name?, path?}` →
    /// `{matched, rules: [{rule, version?, matched, kind?, explanation, resolve?}]}`
    private func test(_ request: RouteRequest) async throws -> Reply {
        let body = try request.json()
        let event: EventChoice
        switch body["event"] {
        case .object(let object)?: event = .object(.object(object))
        case .string(let text)?:
            guard let id = EventID(text) else { throw BelfryError(.malformed, "event is neither an object nor an id") }
            event = .stored(id)
        default: throw BelfryError(.missingAttribute, "event must be an object, or the id of a stored event")
        }
        return .json(try await hub.test(try RuleChoice(body), only: body["name"]?.string, event: event))
    }
}

extension RuleChoice {
    /// `rule`: the name of a stored rule, or a text that holds rules, which diagnostics call `path`.
    fileprivate init(_ body: JSONValue) throws(BelfryError) {
        guard let rule = body["rule"]?.string else {
            throw BelfryError(.missingAttribute, "rule must be the name of a rule, or the text of one")
        }
        self = Name.isValid(rule) ? .named(rule) : .text(rule, path: body["path"]?.string ?? "rule")
    }
}

extension JSONValue {
    fileprivate func time(_ key: String) throws(BelfryError) -> Timestamp? {
        guard let value = self[key] else { return nil }
        guard let time = value.string.flatMap({ Timestamp($0) }) else {
            throw BelfryError(.malformed, "\(key) must be a time, such as 2026-03-01T00:00:00Z")
        }
        return time
    }

    fileprivate func duration(_ key: String) throws(BelfryError) -> Duration? {
        guard let value = self[key] else { return nil }
        guard let duration = value.string.flatMap({ Duration(shorthand: $0) }) else {
            throw BelfryError(.malformed, "\(key) must be a duration with its unit, such as 30s or 24h")
        }
        return duration
    }
}
