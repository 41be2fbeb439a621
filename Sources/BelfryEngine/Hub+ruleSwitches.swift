public import BelfryCore
import BelfryRules
public import BelfryStore

/// What an operator says of a rule beside its document. Admission asks the store for it, so nothing has to be reloaded.
extension Hub {
    /// Lets a rule only record its matches, or ends that. A document that says `mode: observe` goes on observing.
    /// - Throws: `not_found`.
    public func setObserving(rule: String, _ isObserving: Bool, by principal: Principal) async throws(BelfryError) {
        try checkExists(DocumentName(.rule, rule))
        try await store.setObserving(isObserving, rule: rule, by: principal)
    }

    /// Lets a rule's matches start nothing and tell nobody for a while, from now; zero ends that.
    /// - Throws: `not_found`; `malformed` for more than ``Limits/muteMax``.
    public func mute(rule: String, for duration: Duration, by principal: Principal) async throws(BelfryError) {
        try checkExists(DocumentName(.rule, rule))
        guard (.zero...Limits.muteMax).contains(duration) else {
            throw BelfryError(
                .malformed, "for must be at most \(Limits.muteMax.shorthand); `belfry rules disable \(rule)` has no end"
            )
        }
        let until = duration > .zero ? configuration.clock.now() + duration : nil
        try await store.mute(rule: rule, until: until, by: principal)
    }
}

extension Hub {
    /// - Throws: `not_found`, with the name that may have been meant.
    func checkExists(_ id: DocumentName) throws(BelfryError) {
        guard registry.snapshot.records[id] == nil else { return }
        throw unknown(id)
    }

    /// There is no such document; one with nearly this name is named.
    public func unknown(_ id: DocumentName) -> BelfryError {
        let names = registry.snapshot.records.keys.lazy.filter { $0.kind == id.kind }.map(\.name)
        let nearest = NearestName.of(id.name, among: names.prefix(Limits.nearestNamesMax).sorted())
        let hint = nearest.map { "did you mean '\($0)'?" } ?? "`belfry \(id.kind.rawValue)s list` shows those there are"
        return BelfryError(.notFound, "there is no \(id.kind.rawValue) \(id.name); \(hint)")
    }
}
