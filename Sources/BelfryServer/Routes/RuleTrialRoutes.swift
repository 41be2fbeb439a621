import BelfryCore
import BelfryEngine
import HTTPTypes

/// Rules that are tried: on one event, before they are trusted.
struct RuleTrialRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.post, "/v1/rules/test", .role(.viewer), test)
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
