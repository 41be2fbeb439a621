import BelfryCore

/// A group of matches, for a person.
enum RunGroup {
    /// `group ["pump-7"] of 5 events`
    static func text(_ group: JSONValue) -> String {
        let count = group["count"]?.number?.int64 ?? 0
        let values = (group["by"]?.array ?? []).isEmpty ? "" : " \(Terminal.harmless(group["by"]?.text ?? ""))"
        return "group\(values) of \(count.counted("event"))"
    }
}
