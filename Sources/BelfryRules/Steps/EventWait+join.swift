public import BelfryCore

extension EventWait {
    /// The values of a run that its event must have, in the order of ``by``.
    /// - Parameter context: what templates see.
    /// - Returns: a failure with the paths that lead to nothing: such a wait would take what any run is about.
    public func ownValues(in context: JSONValue) -> Result<[JSONValue], MissingPlaces> {
        let event = context["event"] ?? .null
        var values: [JSONValue] = []
        var missing: [String] = []
        for join in by {
            let isEventPlace = !Join.roots.contains(join.own.root)
            let value = isEventPlace ? join.own.value(inEvent: event) : join.own.value(in: context) ?? .null
            if value == .null { missing.append(join.own.text) }
            values.append(value)
        }
        return missing.isEmpty ? .success(values) : .failure(MissingPlaces(paths: missing))
    }

    /// The values of an event that satisfies the pattern; nil if one of them is missing or null: then it is nobody's.
    /// - Parameter event: `Event.value`
    public func laterValues(in event: JSONValue) -> [JSONValue]? {
        let values = by.map { $0.later.value(inEvent: event) }
        return values.contains(.null) ? nil : values
    }

    /// Where the event has nothing.
    func missingPlaces(in event: JSONValue) -> [String] {
        by.filter { $0.later.value(inEvent: event) == .null }.map(\.later.text)
    }

    /// Places of a run's context that hold nothing.
    public struct MissingPlaces: Error, Sendable, Hashable {
        /// As they were written.
        public var paths: [String]
    }
}
