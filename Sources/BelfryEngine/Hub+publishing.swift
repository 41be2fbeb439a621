public import BelfryCore
import BelfryRules
public import BelfrySources
public import BelfryStore

extension Hub {
    /// Takes in CloudEvents that a token speaks for: what a delivery is to a source, without a signature.
    ///
    /// - Parameters:
    ///   - given: the source they are of; nil takes the only one that the token's scopes name. It needs no document; one
    ///     with `preset: none` lends its `redact`, `paused` and `body_max`.
    ///   - delivery: binary, structured or batched.
    /// - Throws: `forbidden` for a source that the token may not publish to or that verifies its senders, and what a
    ///   delivery to a hook can be refused with.
    public func publish(
        source given: String?, _ delivery: Delivery, by principal: Principal
    ) async throws(BelfryError) -> [AcceptedEvent] {
        let name = if let given { given } else { try onlySource(of: principal) }
        guard Name.isValid(name) else {
            throw BelfryError(.malformed, "\"\(name.prefix(80))\" is no name for a source; one is \(Name.form)")
        }
        try principal.checkPublish(to: .source(name))
        let snapshot = registry.snapshot
        let source = try publishable(name, snapshot)
        do throws(BelfryError) {
            let events = try source.published(delivery)
            var accepted = AcceptedDelivery(
                source: name, remote: delivery.remote, verifiedBy: "token/\(principal.name)",
                ruleSetVersion: snapshot.ruleSet.version,
                items: items(of: events, delivery, source, snapshot.ruleSet),
                published: AcceptedDelivery.Published(
                    documentVersion: snapshot.records[DocumentName(.source, name)]?.version)
            )
            accepted.generation = snapshot.generation
            return try await accept(accepted)
        } catch {
            recordRefusal(source: name, code: error.code, remote: delivery.remote)
            throw error
        }
    }

    /// The source's document, or what stands for one that has none.
    private func publishable(
        _ name: String, _ snapshot: Registry.Snapshot
    ) throws(BelfryError) -> SourceDefinition {
        guard name != Event.ownSource, name != Self.manualSource else {
            throw BelfryError(.forbidden, "events of source \(name) are the hub's own; nobody publishes as it")
        }
        guard snapshot.problems[DocumentName(.source, name)] == nil else {
            throw BelfryError(.forbidden, "the document of source \(name) can't be read; mend it first")
        }
        guard let source = snapshot.sources[name]?.definition else {
            return SourceDefinition(name: name, preset: .none)
        }
        guard source.preset == .none else {
            throw BelfryError(
                .forbidden,
                "source \(name) verifies its senders (preset \(source.preset.rawValue)); nobody publishes as it",
                details: ["source": .string(name)]
            )
        }
        return source
    }

    private func onlySource(of principal: Principal) throws(BelfryError) -> String {
        let names = principal.scopes.compactMap { scope -> String? in
            if case .source(let name)? = Topic(scope) { name } else { nil }
        }
        guard names.count == 1, let name = names.first else {
            let choice = names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
            throw BelfryError(.missingAttribute, "name the source: ?source=NAME\(choice)")
        }
        return name
    }
}
