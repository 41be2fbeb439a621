public import BelfryCore

/// Holds stored events against one wait, just as the set of rules holds those that come.
public struct WaitMatcher: Sendable {
    private let wait: EventWait
    private let set: RuleSet

    public init(_ given: EventWait) {
        var wait = given
        // A pattern of its own: one that is compiled with a set of rules forgets what it has read.
        wait.pattern = EventPattern(branches: given.pattern.branches)
        let step = StepDefinition(name: "wait", action: .wait(.event(wait)))
        let rule = RuleDefinition(name: "wait", pattern: wait.pattern, steps: [step])
        set = RuleSet(version: 0, rules: [Rule(waitsOf: rule, version: 0)])
        self.wait = wait
    }

    /// Whether an event of this source and type could be one that is waited for, whatever else it holds.
    public func mayMatch(source: String, type: String) -> Bool { wait.pattern.mayMatch(source: source, type: type) }

    /// The values by which a run knows the event for its own; nil: it does not satisfy the pattern, or is nobody's.
    public func laterValues(in event: Event) -> [JSONValue]? {
        set.matches(event).isEmpty ? nil : wait.laterValues(in: event.value)
    }
}
