import BelfryCore

/// How much one event may cost in comparisons that nothing shortens.
package struct MatchBudget: Sendable {
    /// Comparisons, for each field and besides, after which values are looked up (``ValueTable``) instead of looked at one by one.
    /// Few events get there: making the tables costs more than it saves where few rules ask.
    var stepsPerField: Int
    var stepsFree: Int
    /// Values of one path that are looked at one by one even then.
    var valuesScanned: Int
    /// Beyond this, what needs more comparisons holds for no rule.
    var stepsMax: Int

    package static let standard = MatchBudget(
        stepsPerField: 16, stepsFree: 4096, valuesScanned: 8, stepsMax: Limits.matchStepsMax)
    /// Everything by look-ups, from the first value on: for tests, whose events are small.
    package static let lookUps = MatchBudget(
        stepsPerField: 0, stepsFree: -1, valuesScanned: 0, stepsMax: Limits.matchStepsMax)
}

/// What matching an event has cost.
package struct MatchCost: Sendable {
    /// Values that were held against a test, or looked up by one, and elements of arrays that were compared.
    package internal(set) var steps = 0
    /// Something was left undone because it would have cost more than ``Limits/matchStepsMax``: rules may be missing.
    package internal(set) var isCutShort = false

    private var stepsFree = 0
    private var stepsMax = Int.max
    private(set) var valuesScanned = 0

    init() {}

    init(_ budget: MatchBudget, fieldCount: Int) {
        stepsFree = budget.stepsFree + budget.stepsPerField * fieldCount
        stepsMax = budget.stepsMax
        valuesScanned = budget.valuesScanned
    }

    /// Whether so much has been compared that looking up is cheaper.
    @inline(__always)
    var isHigh: Bool { steps > stepsFree }

    /// Takes the steps of something that may be left undone. - Returns: whether it is to be done.
    mutating func spend(_ count: Int) -> Bool {
        guard steps + count <= stepsMax else {
            isCutShort = true
            return false
        }
        steps += count
        return true
    }
}

/// What matching one event has cost so far, and what has been worked out about its values.
struct MatchWork: Sendable {
    var cost = MatchCost()
    var values = EventValues()
    var join = ElementJoin()

    mutating func begin(_ budget: MatchBudget, _ event: borrowing MatchedEvent) {
        cost = MatchCost(budget, fieldCount: event.fields.fields.count)
    }

    /// Lets go of what is this event's alone.
    mutating func end() { values.removeAll() }
}
