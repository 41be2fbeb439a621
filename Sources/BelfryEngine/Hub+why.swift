public import BelfryCore
import BelfryRules
import BelfryStore

/// Which rules an explanation is asked for.
public enum WhyRules: Sendable {
    /// The nearest of today's, at most so many.
    case nearest(max: Int)
    /// One, as it is today and as it was when the event was matched.
    case named(String)
}

extension Hub {
    /// What happened to an event, and why: the stored outcome of every match in every round, then what today's rules make
    /// of it, each clause with the values seen.
    ///
    /// `{event, source, type, status, received, ruleset_version, rules_changed, verified_by, hops, same_body_as?,
    /// matches: [{rule, rule_version, version_now, outcome, run, run_end?, detail, round, time}], matches_left_out?,
    /// rules: [{rule, version, matched, kind?, explanation, resolve?}], total, matching, for_other_sources, left_out, disabled?}`;
    /// of one rule also `then`.
    /// - Throws: `not_found` for the event, and for a rule that there is not and never was.
    public func why(
        _ id: EventID, _ choice: WhyRules = .nearest(max: Limits.whyRulesDefault)
    ) async throws(BelfryError) -> JSONObject {
        let record = try await store.event(id)
        let snapshot = registry.snapshot
        let ruleSet = snapshot.ruleSet
        let event = record.event.value
        var matches = try await store.matches(of: id)
        var rules: JSONObject
        switch choice {
        case .nearest(let max):
            rules = nearest(to: event, in: ruleSet, max: max)
            let disabled = disabledMatches(of: event, in: snapshot)
            if !disabled.isEmpty { rules["disabled"] = .array(disabled.map(JSONValue.string)) }
        case .named(let name):
            matches = matches.filter { $0.rule == name }
            // What resumes a run may be an older version's.
            let match = matches.last { $0.outcome != .resumed } ?? matches.last
            let asked = match.map { (version: $0.ruleVersion, time: $0.time) }
            rules = try await explained(name, event, in: snapshot, asked, received: record.summary.received)
        }
        var why: JSONObject = [
            "event": .string(id.description), "source": .string(record.summary.source),
            "type": .string(record.summary.type), "status": .string(record.summary.status.rawValue),
            "received": .string(record.summary.received.description),
            "ruleset_version": .int(record.summary.ruleSetVersion),
            "rules_changed": .bool(record.summary.ruleSetVersion != ruleSet.version),
            "verified_by": .optional(record.summary.verifiedBy), "hops": .int(record.summary.hops),
        ]
        if let other = record.summary.sameBodyAs { why["same_body_as"] = .string(other.description) }
        // The last rounds are what holds; of a thousand rules' matches the rest is said by its number.
        let shown = matches.suffix(Limits.pageRowsMax)
        why["matches"] = .array(
            shown.map { match in
                var json = match.json
                json["version_now"] = .optional(snapshot.records[DocumentName(.rule, match.rule)]?.version)
                return .object(json)
            })
        if shown.count < matches.count { why["matches_left_out"] = .int(matches.count - shown.count) }
        for member in rules.members { why[member.key] = member.value }
        return why
    }

    private func nearest(to event: JSONValue, in ruleSet: RuleSet, max: Int) -> JSONObject {
        let nearest = ruleSet.nearest(to: event, max: max)
        let total = ruleSet.currentRules.count
        return [
            "rules": .array(
                nearest.rules.map { .object($0.definition.explain(event, version: $0.version).json) }),
            "total": .int(total), "matching": .int(nearest.matching),
            "for_other_sources": .int(nearest.forOtherSources),
            "left_out": .int(total - nearest.rules.count),
        ]
    }

    /// The rules that would match and are disabled: what nobody looks for when nothing happens.
    private func disabledMatches(of event: JSONValue, in snapshot: Registry.Snapshot) -> [String] {
        let disabled = snapshot.rules.values.filter { rule in
            snapshot.ruleSet.rule(named: rule.name) == nil && rule.explain(event).isMatch
        }
        return Array(disabled.map(\.name).sorted().prefix(Limits.whyRulesDefault))
    }

    /// One rule by today's version and, if that is another, by the one that held when the event was matched.
    /// - Parameter asked: the rule's last match of the event.
    private func explained(
        _ name: String, _ event: JSONValue, in snapshot: Registry.Snapshot,
        _ asked: (version: Int64, time: Timestamp)?, received: Timestamp
    ) async throws(BelfryError) -> JSONObject {
        let id = DocumentName(.rule, name)
        let now = snapshot.records[id]
        let then = try await versionThen(of: id, now: now, asked, received: received)
        var rules: [JSONValue] = []
        if let now, let definition = snapshot.rules[name] {
            var json = definition.explain(event, version: now.version).json
            if snapshot.ruleSet.rule(named: name) == nil { json["enabled"] = false }
            rules.append(.object(json))
        }
        var answer: JSONObject = ["rules": .array(rules)]
        guard then != now?.version || now == nil else { return answer }
        if let then {
            let definition = try await registry.rule(named: name, version: then)
            answer["then"] = .object(definition.explain(event, version: then).json)
        } else {
            answer["then"] = .null
        }
        return answer
    }

    /// The version that held when the event was matched; nil: there was none.
    private func versionThen(
        of id: DocumentName, now: DocumentRecord?, _ asked: (version: Int64, time: Timestamp)?, received: Timestamp
    ) async throws(BelfryError) -> Int64? {
        if let asked { return asked.version }
        if let now, now.updated <= received { return now.version }
        let versions: [DocumentVersion]
        do throws(BelfryError) {
            versions = try await store.versions(of: id)
        } catch {
            guard error.code == .notFound else { throw error }
            throw BelfryError(.notFound, "there is no rule \(id.name.prefix(Limits.nameBytesMax)), and there never was")
        }
        let then = versions.first { $0.created <= received }
        return then?.change == .removed ? nil : then?.version
    }

    /// Whether rules would match an event, and why: `{matched, rules: [{rule, version?, matched, kind?, explanation,
    /// resolve?}]}`. Nothing is stored or started.
    /// - Parameter name: only this one of a text's rules.
    public func test(
        _ choice: RuleChoice, only name: String? = nil, event: EventChoice
    ) async throws(BelfryError) -> JSONObject {
        let rules = try drafts(choice, only: name)
        let value: JSONValue =
            switch event {
            case .object(let object): Event.value(of: object)
            case .stored(let id): try await store.event(id).event.value
            }
        return rules.map { $0.definition.explain(value, version: $0.version) }.json
    }

    /// The rules that are meant; stored ones with their version.
    func drafts(
        _ choice: RuleChoice, only name: String?
    ) throws(BelfryError) -> [(definition: RuleDefinition, version: Int64?)] {
        switch choice {
        case .named(let name):
            let snapshot = registry.snapshot
            guard let rule = snapshot.rules[name] else { throw unknown(DocumentName(.rule, name)) }
            return [(rule, snapshot.records[DocumentName(.rule, name)]?.version)]
        case .text(let text, let path):
            let rules = try drafts(text, path: path)
            guard let name else { return rules.map { ($0, nil) } }
            guard let rule = rules.first(where: { $0.name == name }) else {
                let names = rules.map(\.name).joined(separator: ", ")
                throw BelfryError(.invalidDocument, "\(path) holds no rule \(name); it holds \(names)")
            }
            return [(rule, nil)]
        }
    }
}

extension MatchRecord {
    fileprivate var json: JSONObject {
        var json: JSONObject = [
            "rule": .string(rule), "rule_version": .int(ruleVersion), "outcome": .string(outcome.rawValue),
            "run": .optional(run?.description), "detail": .optional(detail), "round": .int(round),
            "time": .string(time.description),
        ]
        if let end {
            var ended: JSONObject = ["state": .string(end.state.rawValue), "reason": .optional(end.reason?.rawValue)]
            if let error = end.error { ended["error"] = error.json }
            json["run_end"] = .object(ended)
        }
        if let group {
            json["group"] = [
                "id": .string(group.id.description), "by": group.values.value, "count": .int(group.count),
                "first": .string(group.first.description), "last": .string(group.last.description),
                "due": .optional(group.due?.description),
            ]
        }
        return json
    }
}

extension JSONValue {
    fileprivate static func optional(_ number: Int64?) -> JSONValue { number.map { .int($0) } ?? .null }
}
