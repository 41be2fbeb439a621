public import BelfryCore
import BelfryCrypto
import BelfryRules
public import BelfrySources
public import BelfryStore

/// What a sender is told.
public enum Receipt: Sendable {
    /// On disk. `isBatch`: the delivery has the form of several items, so the answer has it too. `answer`: what the
    /// sender is told instead.
    case stored([AcceptedEvent], isBatch: Bool, answer: DeliveryAnswer?)
    /// A handshake.
    case answered(DeliveryAnswer)
}

extension Hub {
    /// Takes one delivery in: verify → identify → match → store. Returning is the acknowledgement: it is on disk.
    ///
    /// Throws the refusal, which leaves an aggregated trace in the audit.
    public func receive(source name: String, _ delivery: Delivery) async throws(BelfryError) -> Receipt {
        let snapshot = registry.snapshot
        guard let source = snapshot.sources[name] else {
            store.recordRefusal(source: "*", code: .unknownSource, remote: delivery.remote)
            throw .unknownSource(name)
        }
        do throws(BelfryError) {
            switch source.definition.judge(delivery, secrets: try source.secrets(at: delivery.received)) {
            case .answered(let answer):
                return .answered(answer)
            case .refused(let error):
                throw error
            case .accepted(let verifiedBy, let events):
                var accepted = AcceptedDelivery(
                    source: name,
                    remote: delivery.remote,
                    verifiedBy: verifiedBy,
                    ruleSetVersion: snapshot.ruleSet.version,
                    items: items(of: events, delivery, source.definition, snapshot.ruleSet)
                )
                accepted.generation = snapshot.generation
                let stored = try await accept(accepted)
                if source.definition.preset == .slack { await decide(pressed: stored, of: accepted) }
                return .stored(stored, isBatch: events.count > 1, answer: source.definition.answer(to: delivery))
            }
        } catch {
            store.recordRefusal(source: name, code: error.code, remote: delivery.remote)
            throw error
        }
    }

    /// Notes a delivery that was refused before it was complete: too large, too slow. Never blocks.
    /// - Parameter source: as it stands in the path, whether there is such a source or not.
    public func recordRefusal(source: String, code: BelfryError.Code, remote: String) {
        let isKnown = registry.snapshot.sources[source] != nil
        store.recordRefusal(source: isKnown ? source : "*", code: code, remote: remote)
    }

    /// The most bytes the source takes; nil if there is no such source.
    public func bodyBytesMax(source name: String) -> Int? { registry.snapshot.sources[name]?.definition.bodyBytesMax }

    /// Whether the source answers questions by GET; `false` if there is no such source.
    public func answersChallenges(source name: String) -> Bool {
        registry.snapshot.sources[name]?.definition.challenge != nil
    }

    func items(
        of events: [IncomingEvent], _ delivery: Delivery, _ source: SourceDefinition, _ ruleSet: RuleSet
    ) -> [AcceptedDelivery.Item] {
        let bodyDigest = events.contains { !$0.isKeySigned } ? Digest.sha256(delivery.body) : nil
        return events.enumerated().map { index, incoming in
            let event = Event(incoming, source: source.name, delivery: delivery)
            var item = AcceptedDelivery.Item(event: event)
            item.keyWindow = incoming.keyWindow
            item.isKeySigned = incoming.isKeySigned
            if let bodyDigest, incoming.key != nil {
                if events.count == 1 {
                    item.bodyDigest = bodyDigest
                } else if source.refusesSameBody {
                    // One body that carries several events: each is known by its place in it.
                    item.bodyDigest = Digest.sha256(bodyDigest + Array("#\(index)".utf8))
                }
            }
            item.refusesSameBody = source.refusesSameBody
            item.traceparent = delivery.headers["traceparent"]
            item.matches = ruleSet.requests(of: event, logger)
            return item
        }
    }
}

extension Event {
    init(_ incoming: IncomingEvent, source: String, delivery: Delivery) {
        self.init(
            id: EventID(at: delivery.received),
            source: source,
            origin: incoming.origin,
            key: incoming.key,
            type: incoming.type,
            subject: incoming.subject,
            time: incoming.time ?? delivery.received,
            received: delivery.received,
            remote: delivery.remote,
            ext: incoming.ext,
            headers: incoming.headers,
            data: incoming.data
        )
        hops = Hops.count(in: delivery.headers.values(Hops.header))
    }
}
