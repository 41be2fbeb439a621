import BelfryCore
import BelfryStore

extension GroupSummary {
    /// `{id, rule, by, count, first, last, due, run, outcome, detail, closed}`
    var json: JSONObject {
        [
            "id": .string(id.description), "rule": .string(rule), "by": values.value, "count": .int(count),
            "first": .string(first.description), "last": .string(last.description), "due": .optional(due?.description),
            "run": .optional(run?.description), "outcome": .optional(outcome?.rawValue), "detail": .optional(detail),
            "closed": .optional(closed?.description),
        ]
    }
}
