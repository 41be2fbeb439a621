import BelfryCore
import Foundation
import GRDB

extension WriteTransaction {
    /// The whole of a delivery: all of its events are stored, or none.
    func accept(_ delivery: AcceptedDelivery) throws -> [AcceptedEvent] {
        if let published = delivery.published { try check(published, source: delivery.source) }
        let pause = try pauseState(source: delivery.source)
        var accepted: [AcceptedEvent] = []
        accepted.reserveCapacity(delivery.items.count)
        var own: Set<EventID> = []
        for (index, item) in delivery.items.enumerated() {
            if let known = try knownIdentity(item, source: delivery.source) {
                accepted.append(try acceptAgain(item, known: known, delivery: delivery))
            } else {
                let sameBody = try firstWithSameBody(item, source: delivery.source, besides: own)
                if let sameBody, item.refusesSameBody, !item.isKeySigned {
                    throw BelfryError(
                        .sameBody, "the same body came before, under another id (\(sameBody))",
                        details: JSONObject([
                            .init(key: "index", value: .int(index)),
                            .init(key: "event", value: .string(sameBody.description)),
                        ])
                    )
                }
                own.insert(item.event.id)
                accepted.append(try acceptNew(item, sameBodyAs: sameBody, delivery: delivery, pause: pause))
            }
        }
        return accepted
    }

    /// A document may have come, or changed, since the publisher was let in.
    private func check(_ published: AcceptedDelivery.Published, source: String) throws {
        let sql = "SELECT version FROM documents WHERE kind = 'source' AND name = ?"
        guard try first(sql, [source], { $0.int(0) }) == published.documentVersion else {
            throw BelfryError(
                .overloaded, "the document of source \(source) changes at this moment; send it again",
                retryAfter: .seconds(1)
            )
        }
    }

    private func acceptNew(
        _ item: AcceptedDelivery.Item, sameBodyAs: EventID?, delivery: AcceptedDelivery, pause: PauseState
    ) throws -> AcceptedEvent {
        var event = item.event
        let marked = event.key != nil && !item.isKeySigned ? sameBodyAs : nil
        if let marked { event.ext["same_body_as"] = .string(marked.description) }
        let admitted = try admit(item.matches, of: event, traceparent: item.traceparent, pause: pause)
        let status = Admission.status(of: admitted.outcomes.map(\.outcome), isPaused: pause.isPaused)
        let sequence = try insert(
            event, status: status, runs: admitted.runs.count, sameBodyAs: marked, item: item, delivery: delivery
        )
        try insert(admitted, event: sequence, round: 0)
        try remember(item, event: event, source: delivery.source)
        let accepted = AcceptedEvent(
            event: event.id, status: status, runs: admitted.runs, resumed: admitted.resumed,
            outcomes: admitted.outcomes)
        try publish(accepted, event: event, action: "event.accepted", delivery: delivery, sameBodyAs: marked)
        return accepted
    }

    /// The same (source, key) once more.
    private func acceptAgain(
        _ item: AcceptedDelivery.Item, known: KnownIdentity, delivery: AcceptedDelivery
    ) throws -> AcceptedEvent {
        try refresh(known, item: item, source: delivery.source)
        var duplicate = AcceptedEvent(
            event: known.event, status: .duplicate, firstSeen: known.firstSeen, runs: try runs(of: known.event)
        )
        duplicate.mayMatchAgain = try mayMatchAgain(known.event, ruleSetVersion: delivery.ruleSetVersion)
        return duplicate
    }

    // MARK: The event's row, frame and audit entry

    private func insert(
        _ event: Event, status: EventStatus, runs: Int, sameBodyAs: EventID?, item: AcceptedDelivery.Item,
        delivery: AcceptedDelivery
    ) throws -> Int64 {
        try execute(
            """
            INSERT INTO events (id, source, status, runs, ruleset_version, time, received, hops, same_body_as,
                verified_by, traceparent, remote, origin, key, type, subject, ext, headers, data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.id.bytes.blob, event.source, status.rawValue, runs, delivery.ruleSetVersion,
                event.time.milliseconds, event.received.milliseconds, event.hops, sameBodyAs?.bytes.blob,
                delivery.verifiedBy,
                item.traceparent?.blob, event.remote.blob, event.origin?.blob, event.key?.blob, event.type.blob,
                event.subject?.blob, RawJSON(.object(event.ext)).blob, RawJSON(.object(event.headers)).blob,
                event.data.blob,
            ]
        )
        return db.lastInsertedRowID
    }

    func publish(
        _ accepted: AcceptedEvent, event: Event, action: String, delivery: AcceptedDelivery, sameBodyAs: EventID?
    ) throws {
        try announce(accepted, event: event)
        // Keys in the order of their bytes: this is what the chain's hash is taken over.
        var detail = JSONWriter()
        detail.beginObject()
        detail.member("remote", delivery.remote)
        if !accepted.resumed.isEmpty { detail.member("resumed", runs: accepted.resumed) }
        detail.member("ruleset_version", delivery.ruleSetVersion)
        detail.member("runs", runs: accepted.runs)
        detail.member("same_body_as", ifPresent: sameBodyAs?.description)
        detail.member("source", delivery.source)
        detail.member("status", accepted.status.rawValue)
        detail.member("verified_by", ifPresent: delivery.verifiedBy)
        detail.endObject()
        try appendAudit(
            actor: "source/\(delivery.source)", action: action, subject: event.id.description,
            canonicalDetail: detail.bytes
        )
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ key: String, runs: [RunID]) {
        self.key(key)
        beginArray()
        for run in runs { string(run.description) }
        endArray()
    }
}
