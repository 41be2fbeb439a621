public import BelfryCore

/// A rule of the set, at the version a run keeps.
public struct Rule: Sendable {
    public var definition: RuleDefinition
    public var version: Int64

    public init(definition: RuleDefinition, version: Int64) {
        self.definition = definition
        self.version = version
    }
}

/// A rule that an event satisfies, and in which way.
public struct RuleMatch: Sendable {
    public enum Kind: Sendable, Hashable {
        /// Its `when`.
        case triggers
        /// Its `resolve`, which comes before `when`.
        case resolves
    }

    public var rule: Rule
    public var kind: Kind

    public init(rule: Rule, kind: Kind) {
        self.rule = rule
        self.kind = kind
    }
}

/// All rules at one moment. It never changes; whoever changes rules makes a new one.
public struct RuleSet: Sendable {
    public static let empty = RuleSet(version: 0, rules: [])

    /// Events keep the version they were matched with.
    public let version: Int64
    /// In the order of their names.
    public let rules: [Rule]
    private let indexByName: [String: Int]
    private let wanted: Set<FieldPath>

    public init(version: Int64, rules: [Rule]) {
        self.version = version
        self.rules = rules.sorted { $0.definition.name < $1.definition.name }
        var indexByName: [String: Int] = [:]
        for (index, rule) in self.rules.enumerated() { indexByName[rule.definition.name] = index }
        self.indexByName = indexByName
        // Disabled rules are asked too: whoever explains an event wants to know.
        wanted = self.rules.reduce(into: []) {
            $0.formUnion($1.definition.pattern.wanted)
            $0.formUnion($1.definition.resolve?.pattern.wanted ?? [])
        }
    }

    /// The enabled rules that the event satisfies, in the order of their names.
    public func matches(_ event: Event) -> [RuleMatch] { rules.isEmpty ? [] : matches(event.value) }

    /// - Parameter event: `Event.value`
    public func matches(_ event: JSONValue) -> [RuleMatch] {
        let fields = EventFields(event, wanted: wanted)
        return rules.compactMap { rule in
            guard rule.definition.isEnabled else { return nil }
            if rule.definition.resolve?.pattern.matches(fields) == true {
                return RuleMatch(rule: rule, kind: .resolves)
            }
            return rule.definition.pattern.matches(fields) ? RuleMatch(rule: rule, kind: .triggers) : nil
        }
    }

    public func rule(named name: String) -> Rule? { indexByName[name].map { rules[$0] } }
}
