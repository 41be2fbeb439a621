public import BelfryCore

/// A rule of the set, at the version a run keeps. Cheap to copy.
public struct Rule: Sendable {
    private final class Storage: Sendable {
        let definition: RuleDefinition
        let version: Int64
        let name: String
        let isForWaitsOnly: Bool

        init(_ definition: RuleDefinition, _ version: Int64, isForWaitsOnly: Bool) {
            self.definition = definition
            self.version = version
            // No document has such a name.
            name = isForWaitsOnly ? "\(definition.name)@\(version)" : definition.name
            self.isForWaitsOnly = isForWaitsOnly
        }
    }

    private let storage: Storage

    public init(definition: RuleDefinition, version: Int64) {
        storage = Storage(definition, version, isForWaitsOnly: false)
    }

    /// A rule for the runs that wait at steps of it, and that keep this version: it may have changed since, or be disabled or
    /// gone. It matches by its waits alone. In a set it stands beside the rule of the same name, as `NAME@VERSION`.
    public init(waitsOf definition: RuleDefinition, version: Int64) {
        storage = Storage(definition, version, isForWaitsOnly: true)
    }

    public var definition: RuleDefinition { storage.definition }
    public var version: Int64 { storage.version }
    /// See ``init(waitsOf:version:)``.
    public var isForWaitsOnly: Bool { storage.isForWaitsOnly }
    /// Unique in a set: the definition's, or `NAME@VERSION`.
    public var name: String { storage.name }
}

/// A rule that an event satisfies, and in which way.
public struct RuleMatch: Sendable {
    public enum Kind: Sendable, Hashable {
        /// Its `when`.
        case triggers
        /// Its `resolve`, which comes before `when`.
        case resolves
        /// What a step of it waits for (`wait: { for }`), by its name: beside one of the others, or alone.
        case resumes(step: String)
    }

    public var rule: Rule
    public var kind: Kind

    public init(rule: Rule, kind: Kind) {
        self.rule = rule
        self.kind = kind
    }
}

/// All rules at one moment, compiled. It never changes; whoever changes rules makes a new one.
///
/// A change does not compile everything: the rules that are new or different since the set was compiled whole are a layer
/// of their own, and those that they replace are hidden (``applying(version:changed:removed:)``).
public struct RuleSet: Sendable {
    public static let empty = RuleSet(version: 0, rules: [])

    private final class Storage: Sendable {
        let version: Int64
        let base: RuleLayer
        let changes: RuleLayer?
        /// Rules of `base`, by place, that are changed or gone.
        let hidden: Set<Int32>
        let matcher: EventMatcher

        init(version: Int64, base: RuleLayer, changes: RuleLayer?, hidden: Set<Int32>, pool: ScratchPool) {
            self.version = version
            self.base = base
            self.changes = changes
            self.hidden = hidden
            // The tree of the later layer holds the paths of the earlier one too.
            matcher = EventMatcher(tree: changes?.tree ?? base.tree, pool: pool)
        }
    }

    private let storage: Storage

    /// Disabled rules are kept, and never match.
    public init(version: Int64, rules: [Rule]) {
        storage = Storage(
            version: version, base: RuleLayer(rules, below: KeyTree()), changes: nil, hidden: [], pool: ScratchPool())
    }

    private init(_ storage: Storage) { self.storage = storage }

    /// Events keep the version they were matched with.
    public var version: Int64 { storage.version }

    public var count: Int { storage.base.rules.count - storage.hidden.count + (storage.changes?.rules.count ?? 0) }

    /// Those that are documents of today, in the order of their names.
    public var currentRules: [Rule] { rules.filter { !$0.isForWaitsOnly } }

    /// In the order of their names, those for waits only among them. Made anew at each call where rules have changed since
    /// the set was compiled whole.
    public var rules: [Rule] {
        if storage.hidden.isEmpty, storage.changes == nil { return storage.base.rules }
        let kept = storage.base.rules.enumerated().filter { !storage.hidden.contains(Int32($0.offset)) }.map(\.element)
        return kept.merged(with: storage.changes?.rules ?? []) { $0.name < $1.name }
    }

    public func rule(named name: String) -> Rule? {
        if let changes = storage.changes, let place = changes.place(of: name) { return changes.rules[place] }
        guard let place = storage.base.place(of: name), !storage.hidden.contains(Int32(place)) else { return nil }
        return storage.base.rules[place]
    }

    /// Bytes that the compiled form takes, without the rules themselves.
    public var compiledBytes: Int {
        storage.base.index.byteCount + storage.base.tree.byteCount + (storage.changes?.index.byteCount ?? 0)
    }

    // MARK: Changing

    /// The set after a change. What it costs follows the rules that have changed since the set was compiled whole, not the
    /// number of rules; far more of them than ``isFragmented`` bears are compiled whole at once.
    /// - Parameters:
    ///   - changed: rules that are new or different.
    ///   - removed: names of rules that are gone; unknown ones are ignored.
    public func applying(version: Int64, changed: [Rule], removed: [String]) -> RuleSet {
        let names = Set(changed.map(\.name)).union(removed)
        let hidden = storage.hidden.union(names.compactMap { storage.base.place(of: $0).map(Int32.init) })
        let changes = (storage.changes?.rules ?? []).filter { !names.contains($0.name) } + changed
        guard changes.count <= Limits.changedRulesMax * 4 else {
            return RuleSet(version: version, rules: rules.filter { !names.contains($0.name) } + changed)
        }
        return RuleSet(
            Storage(
                version: version, base: storage.base,
                changes: changes.isEmpty ? nil : RuleLayer(changes, below: storage.base.tree), hidden: hidden,
                pool: storage.matcher.pool))
    }

    /// The set with these rules, as a change of it if they differ in few; a rule of the same name and version is the same.
    public func updated(version: Int64, to rules: [Rule]) -> RuleSet {
        let names = Set(rules.map(\.name))
        let changed = rules.filter { rule(named: $0.name)?.version != $0.version }
        let removed = self.rules.map(\.name).filter { !names.contains($0) }
        guard changed.count + removed.count <= Limits.changedRulesMax else {
            return RuleSet(version: version, rules: rules)
        }
        return applying(version: version, changed: changed, removed: removed)
    }

    /// Whether so much has changed that the set is to be compiled whole again (`RuleSet(version:rules:)`).
    public var isFragmented: Bool {
        max(storage.hidden.count, storage.changes?.rules.count ?? 0) > Limits.changedRulesMax
    }

    // MARK: Matching

    /// The enabled rules that the event satisfies, in the order of their names: each once by `resolve` or `when`, then once
    /// for each of its waits.
    /// - Parameter cutShort: called if rules may be missing, because holding them against the event would take more than
    ///   ``Limits/matchStepsMax`` steps.
    public func matches(_ event: Event, ifCutShort cutShort: () -> Void = {}) -> [RuleMatch] {
        if count == 0 { return [] }
        return storage.matcher.withFields(of: event) { event, scratch in
            let found = matches(event, &scratch)
            if scratch.work.cost.isCutShort { cutShort() }
            return found
        }
    }

    /// - Parameter event: `Event.value`
    public func matches(_ event: JSONValue) -> [RuleMatch] {
        storage.matcher.withFields(of: event) { matches($0, &$1) }
    }

    /// For an event that is the object which patterns look at.
    package func matches(json: RawJSON) -> [RuleMatch] {
        storage.matcher.withFields(of: json) { matches($0, &$1) }
    }

    /// The same, and what it has cost.
    package func matches(json: RawJSON, within budget: MatchBudget) -> (matches: [RuleMatch], cost: MatchCost) {
        storage.matcher.withFields(of: json) { event, scratch in
            (matches(event, &scratch, within: budget), scratch.work.cost)
        }
    }

    private func matches(
        _ event: borrowing MatchedEvent, _ scratch: inout MatchScratch, within budget: MatchBudget = .standard
    ) -> [RuleMatch] {
        scratch.work.begin(budget, event)
        defer { scratch.work.end() }
        let found = storage.base.matches(event, &scratch.base, &scratch.work, except: storage.hidden)
        guard let changes = storage.changes else { return found }
        let changed = changes.matches(event, &scratch.changes, &scratch.work, except: [])
        return found.merged(with: changed) { $0.rule.name < $1.rule.name }
    }
}

extension Array {
    /// Two sorted arrays as one.
    fileprivate func merged(with other: [Element], by precedes: (Element, Element) -> Bool) -> [Element] {
        if other.isEmpty { return self }
        var merged: [Element] = []
        merged.reserveCapacity(count + other.count)
        var rest = other[...]
        for element in self {
            while let next = rest.first, precedes(next, element) { merged.append(rest.removeFirst()) }
            merged.append(element)
        }
        return merged + rest
    }
}
