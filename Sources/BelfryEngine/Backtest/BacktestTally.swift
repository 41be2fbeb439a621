import BelfryCore
import BelfryRules
import BelfryStore

/// Adds up what a draft would have done with stored events, and what the stored rule of its name did.
struct BacktestTally: Sendable {
    private let rule: RuleDefinition
    private let request: BacktestRequest
    private let ruleSet: RuleSet
    private let relaxed: [RelaxedRule]
    private var simulation: AdmissionSimulation
    private var events = 0
    private var matches = 0
    private var resolving = 0
    private var kinds = BoundedCounts<Kind>(max: Limits.backtestKindsMax)
    private var groups = BoundedCounts<RawJSON>(max: Limits.backtestGroupsMax)
    private var times: BacktestTimes
    private var examples: [JSONValue] = []
    private var nearMisses = NearMisses()
    private var stored = StoredRule()
    private var runs = 0

    /// Where events come from and what they are.
    struct Kind: Hashable, Sendable {
        var source: String
        var type: String
    }

    private struct NearMisses: Sendable {
        var count = 0
        var byClause: [String: Int] = [:]
        var examples: [JSONValue] = []
    }

    /// What the rule of the draft's name did with the same events.
    private struct StoredRule: Sendable {
        var outcomes: [Outcome: Int] = [:]
        var both = 0
        var onlyDraft: [EventID] = []
        var onlyDraftCount = 0
        var onlyStored: [EventID] = []
        var onlyStoredCount = 0
    }

    init(rule: RuleDefinition, request: BacktestRequest) {
        var enabled = rule
        enabled.isEnabled = true
        // An event that would resume a run is no match.
        enabled.steps.removeAll { $0.eventWait != nil }
        self.rule = enabled
        self.request = request
        relaxed = enabled.relaxed(max: Limits.backtestClausesMax)
        let rules = [enabled] + relaxed.map(\.rule)
        ruleSet = RuleSet(version: 0, rules: rules.map { Rule(definition: $0, version: 0) })
        simulation = AdmissionSimulation(runTakes: request.runTakes)
        times = BacktestTimes(from: request.from, to: request.to)
    }

    // MARK: Events

    /// In the order they were stored.
    mutating func add(_ scanned: ScannedEvent) {
        events += 1
        var isMatch = false
        if let event = scanned.event {
            let found = ruleSet.requests(of: event)
            let kind = Kind(source: scanned.source, type: scanned.type)
            if let match = found.first(where: { $0.rule == rule.name }) {
                isMatch = true
                add(match, of: event)
                kinds.add(kind, events: 1, matches: 1)
            } else {
                if !found.isEmpty { addNearMiss(found, of: event) }
                kinds.add(kind, events: 1)
            }
        }
        compare(isMatch, scanned)
    }

    private mutating func add(_ match: MatchRequest, of event: Event) {
        matches += 1
        if match.resolves { resolving += 1 }
        let outcome = simulation.admit(match, at: event.received)
        times.addMatch(at: event.received)
        let values = match.group.flatMap { $0.policy == nil ? nil : $0.key.values }
        if let values, !match.resolves { groups.add(values, events: 0, matches: 1) }
        takeRuns()
        if examples.count < Limits.backtestExamplesMax {
            examples.append(Self.example(event, ["outcome": .string(outcome.rawValue)]))
        }
    }

    /// The runs that were made since it was asked last: by this match, or by the time before it.
    private mutating func takeRuns() {
        for run in simulation.made {
            runs += 1
            times.addRun(at: run.at)
            if let values = run.group { groups.add(values, events: 0, runs: 1) }
        }
        simulation.made = []
    }

    private mutating func addNearMiss(_ found: [MatchRequest], of event: Event) {
        nearMisses.count += 1
        var clauses: [String] = []
        for relaxed in relaxed where found.contains(where: { $0.rule == relaxed.rule.name }) {
            nearMisses.byClause[relaxed.clause, default: 0] += 1
            clauses.append(relaxed.clause)
        }
        if nearMisses.examples.count < Limits.backtestExamplesMax {
            nearMisses.examples.append(Self.example(event, ["clause": .optional(clauses.first)]))
        }
    }

    private mutating func compare(_ isMatch: Bool, _ scanned: ScannedEvent) {
        if let outcome = scanned.outcome { stored.outcomes[outcome, default: 0] += 1 }
        switch (isMatch, scanned.outcome != nil) {
        case (true, true): stored.both += 1
        case (true, false):
            stored.onlyDraftCount += 1
            if stored.onlyDraft.count < Limits.backtestExamplesMax { stored.onlyDraft.append(scanned.id) }
        case (false, true):
            stored.onlyStoredCount += 1
            if stored.onlyStored.count < Limits.backtestExamplesMax { stored.onlyStored.append(scanned.id) }
        case (false, false): break
        }
    }

    private static func example(_ event: Event, _ more: JSONObject) -> JSONValue {
        var json: JSONObject = [
            "event": .string(event.id.description), "received": .string(event.received.description),
            "source": .string(event.source), "type": .string(event.type), "subject": .optional(event.subject),
        ]
        for member in more.members { json[member.key] = member.value }
        return .object(json)
    }

    /// What is due until the window ends.
    mutating func finish() {
        simulation.advance(to: request.to)
        takeRuns()
    }

    // MARK: The result

    /// - Parameter storedRuns: runs that the stored rule made in that time.
    func json(storedRuns: Int) -> JSONObject {
        var json: JSONObject = [
            "events": .int(events), "matches": .int(matches), "resolving": .int(resolving), "runs": .int(runs),
            "runs_queued": .int(simulation.runsQueued), "runs_expired": .int(simulation.runsExpired), "outcomes": Self.json(simulation.outcomes),
            "by_type": .object(
                kinds.json { ["source": .string($0.source), "type": .string($0.type)] }),
            "times": .object(times.json),
        ]
        if rule.group != nil { json["groups"] = .object(groups.json { ["by": $0.value] }) }
        json["examples"] = .array(examples)
        json["near_misses"] = [
            "count": .int(nearMisses.count),
            "by_clause": .array(
                nearMisses.byClause.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { clause, count in
                    ["clause": .string(clause), "events": .int(count)]
                }),
            "examples": .array(nearMisses.examples),
        ]
        json["stored"] = [
            "matches": .int(stored.outcomes.values.reduce(0, +)), "runs": .int(storedRuns),
            "outcomes": Self.json(stored.outcomes), "both": .int(stored.both),
            "only_draft": Self.json(stored.onlyDraftCount, stored.onlyDraft),
            "only_stored": Self.json(stored.onlyStoredCount, stored.onlyStored),
        ]
        var notes: [String] = []
        if rule.observesOnly {
            notes.append("mode: observe: it would start no run; the numbers are those of mode: run")
        }
        if simulation.isOverfull {
            notes.append("more than \(Limits.backtestRunsMax) runs would wait; what came then is taken to end at once")
        }
        json["notes"] = .array(notes.map(JSONValue.string))
        return json
    }

    private static func json(_ outcomes: [Outcome: Int]) -> JSONValue {
        var json = JSONObject()
        for outcome in Outcome.allCases {
            if let count = outcomes[outcome], count > 0 { json[outcome.rawValue] = .int(count) }
        }
        return .object(json)
    }

    private static func json(_ count: Int, _ examples: [EventID]) -> JSONValue {
        ["count": .int(count), "examples": .array(examples.map { .string($0.description) })]
    }
}
