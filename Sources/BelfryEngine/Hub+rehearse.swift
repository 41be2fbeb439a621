public import BelfryCore
import BelfryRules
public import BelfrySources
import BelfryStore

/// What a delivery would come to. Nothing of it is stored, started or counted.
public struct DryRun: Sendable {
    public var source: String
    public var verification: Rehearsal.Verification
    /// What the sender would be answered in place of the hub's own JSON.
    public var answer: DeliveryAnswer?
    public var refusal: BelfryError?
    /// The source, or everything, is paused: nothing would start.
    public var isPaused: Bool
    public var events: [Item]

    public struct Item: Sendable {
        public var event: Event
        /// The stored event of the same key.
        public var duplicateOf: EventID?
        /// `{rule, version, matched, kind?, explanation, resolve?}` for each rule of today.
        public var rules: [JSONObject]
        /// Rules that were left out, because the answer would be too long.
        public var rulesLeftOut: Int
    }
}

extension Hub {
    /// Takes a delivery the way of ``receive(source:_:)`` up to the store, and tells what was found. The verification is
    /// reported and not demanded.
    ///
    /// Throws `unknown_source`, and what keeps the store from being read.
    public func rehearse(source name: String, _ delivery: Delivery) async throws(BelfryError) -> DryRun {
        let snapshot = registry.snapshot
        guard let source = snapshot.sources[name] else { throw .unknownSource(name) }
        let rehearsal = source.definition.rehearse(
            delivery, secrets: source.secrets.map { $0.filter { $0.isActive(at: delivery.received) } })
        var run = DryRun(
            source: name, verification: rehearsal.verification,
            isPaused: snapshot.isAllPaused || snapshot.records[DocumentName(.source, name)]?.isPaused == true,
            events: [])
        switch rehearsal.verdict {
        case .answered(let answer): run.answer = answer
        case .refused(let error): run.refusal = error
        case .accepted(_, let incoming):
            run.answer = source.definition.answer(to: delivery)
            let events = incoming.map { Event($0, source: name, delivery: delivery) }
            let known = try await store.knownEvents(source: name, keys: events.map(\.key), at: delivery.received)
            var explanationsLeft = Limits.dryRunExplanationsMax
            for (event, duplicateOf) in zip(events, known) {
                let item = DryRun.Item(
                    event, duplicateOf: duplicateOf, rules: snapshot.ruleSet.currentRules, max: explanationsLeft)
                explanationsLeft -= item.rules.count
                run.events.append(item)
            }
        }
        return run
    }
}

extension DryRun.Item {
    fileprivate init(_ event: Event, duplicateOf: EventID?, rules: [Rule], max: Int) {
        let value = event.value
        let explained = rules.prefix(max).map { $0.definition.explain(value, version: $0.version).json }
        self.init(
            event: event, duplicateOf: duplicateOf, rules: explained, rulesLeftOut: rules.count - explained.count)
    }
}

extension BelfryError {
    static func unknownSource(_ name: String) -> BelfryError {
        BelfryError(
            .unknownSource,
            "there is no source \(name.prefix(Limits.nameBytesMax)); `belfry sources list` shows those there are")
    }
}
