import BelfryCore
import BelfryStore

/// What templates see as `group`: `{count, first, last, by, min, max, sample}`.
///
/// A run without a group sees its event as a group of one.
enum GroupContext {
    /// As it is now: events may have joined since the run began.
    static func value(of run: RunRecord, event: Event, from store: Store) async throws(BelfryError) -> JSONValue {
        guard let id = run.group else { return one(event) }
        let group = try await store.group(id)
        let sample = try await store.samples(of: group.sample)
        return [
            "count": .int(group.summary.count), "first": .string(group.summary.first.description),
            "last": .string(group.summary.last.description), "by": group.summary.values.value,
            "min": group.least.value, "max": group.greatest.value, "sample": .array(sample.map(entry)),
        ]
    }

    static func one(_ event: Event) -> JSONValue {
        let numbers = JSONValue.object(GroupNumbers(of: event.data.value).members)
        let received = JSONValue.string(event.received.description)
        return [
            "count": 1, "first": received, "last": received, "by": [], "min": numbers, "max": numbers,
            "sample": [entry(EventSample(event))],
        ]
    }

    private static func entry(_ event: EventSample) -> JSONValue {
        [
            "id": .string(event.id.description), "time": .string(event.time.description),
            "subject": .optional(event.subject), "data": event.data?.value ?? .null,
        ]
    }
}
