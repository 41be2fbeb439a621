import BelfryCore
import BelfryRules
import BelfryStore
import Logging

extension RuleSet {
    /// What the store is asked to decide about an event.
    /// - Parameter logger: told if the event is one that costs too much to match whole.
    func requests(of event: Event, _ logger: Logger? = nil) -> [MatchRequest] {
        let matches = matches(event) {
            logger?.warning(
                "an event costs too much to match; rules that compare its arrays were left out",
                metadata: ["event.id": "\(event.id)", "source": "\(event.source)"])
        }
        // The tree is made once, and only if a rule looks into it.
        lazy var value = event.value
        return matches.compactMap { $0.request(of: event, value) }
    }
}

extension MatchRequest {
    init(_ rule: Rule) {
        let definition = rule.definition
        self.init(
            rule: definition.name, ruleVersion: rule.version, observesOnly: definition.observesOnly,
            limits: definition.limits
        )
        notifies = definition.notify
        onResolved = definition.onResolved
    }
}

extension RuleDefinition {
    /// Whether its matches have something in common: `group`, or what resolves them.
    fileprivate var isGrouped: Bool { group != nil || resolve != nil }
}

extension RuleMatch {
    /// What the store is asked to decide.
    /// - Parameter value: `Event.value`
    /// - Returns: nil if the event has no values by which a run could know it for its own.
    func request(of event: Event, _ value: @autoclosure () -> JSONValue) -> MatchRequest? {
        var request = MatchRequest(rule)
        switch kind {
        case .resumes(let step):
            guard let wait = rule.definition.steps.first(where: { $0.name == step })?.eventWait,
                let values = wait.laterValues(in: value())
            else { return nil }
            request.resumes = MatchRequest.Resumption(step: step, key: GroupKey(values))
        case .resolves, .triggers:
            request.resolves = kind == .resolves
            if rule.definition.isGrouped { request.group = membership(of: event, value()) }
        }
        return request
    }

    private func membership(of event: Event, _ value: JSONValue) -> GroupMembership {
        let definition = rule.definition
        let by = kind == .resolves ? definition.resolve?.by : definition.group?.by ?? definition.resolve?.by
        let key = GroupKey((by ?? []).map { $0.value(inEvent: value) })
        var membership = GroupMembership(key: key, policy: definition.group?.policy)
        if definition.resolve?.isBySubject == true { membership.subject = event.subject }
        if kind == .triggers, definition.group != nil {
            membership.numbers = RawJSON(.object(GroupNumbers(of: value["data"] ?? .null).members))
        }
        return membership
    }
}

extension Registry {
    /// What a rule says now; nil if it is gone or switched off.
    func matchRequest(rule name: String) -> MatchRequest? {
        snapshot.ruleSet.rule(named: name).map { MatchRequest($0) }
    }
}
