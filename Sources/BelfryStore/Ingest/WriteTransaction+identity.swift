import BelfryCore
import Foundation
import GRDB

/// What is remembered of a (source, key).
struct KnownIdentity {
    var event: EventID
    var firstSeen: Timestamp
}

extension WriteTransaction {
    /// The event that came first under the item's key; nil if there is no key, or it was never seen or is forgotten.
    func knownIdentity(_ item: AcceptedDelivery.Item, source: String) throws -> KnownIdentity? {
        guard let key = item.event.key else { return nil }
        return try first(
            "SELECT event, first_seen FROM identities WHERE source = ? AND key = ? AND expires > ?",
            [source, key.blob, item.event.received.milliseconds]
        ) { columns in
            KnownIdentity(
                event: try columns.identifier(0), firstSeen: Timestamp(milliseconds: columns.int(1)))
        }
    }

    /// One more sighting. A windowed identity keeps its end: a sensor that repeats itself for ever is heard once per
    /// window, not never again.
    func refresh(_ known: KnownIdentity, item: AcceptedDelivery.Item, source: String) throws {
        guard let key = item.event.key else { return }
        let seen = item.event.received
        let expires = item.keyWindow == nil ? (seen + Limits.identityRetention).milliseconds : 0
        try execute(
            """
            UPDATE identities SET last_seen = max(last_seen, ?), sightings = sightings + 1, expires = max(expires, ?)
            WHERE source = ? AND key = ?
            """,
            [seen.milliseconds, expires, source, key.blob]
        )
    }

    func remember(_ item: AcceptedDelivery.Item, event: Event, source: String) throws {
        let seen = event.received
        if let key = event.key {
            try execute(
                """
                INSERT OR REPLACE INTO identities (source, key, event, first_seen, last_seen, expires)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    source, key.blob, event.id.bytes.blob, seen.milliseconds, seen.milliseconds,
                    (seen + (item.keyWindow ?? Limits.identityRetention)).milliseconds,
                ]
            )
        }
        if let digest = item.bodyDigest {
            try execute(
                """
                INSERT INTO body_digests (source, digest, event, expires) VALUES (?, ?, ?, ?)
                ON CONFLICT (source, digest) DO UPDATE SET
                    event = iif(expires > ?, event, excluded.event), expires = excluded.expires
                """,
                [
                    source, digest.blob, event.id.bytes.blob, (seen + Limits.identityRetention).milliseconds,
                    seen.milliseconds,
                ]
            )
        }
    }

    /// The event that had the same body within the last seven days; the delivery's own events do not count.
    func firstWithSameBody(
        _ item: AcceptedDelivery.Item, source: String, besides own: Set<EventID>
    ) throws -> EventID? {
        guard let digest = item.bodyDigest, !item.isKeySigned else { return nil }
        let event: EventID? = try first(
            "SELECT event FROM body_digests WHERE source = ? AND digest = ? AND expires > ?",
            [source, digest.blob, item.event.received.milliseconds]
        ) { try $0.identifier(0) }
        return event.flatMap { own.contains($0) ? nil : $0 }
    }

    func runs(of event: EventID) throws -> [RunID] {
        try rows("SELECT id FROM runs WHERE event = ? ORDER BY sequence", [event.bytes.blob]).map {
            try $0.identifier("id")
        }
    }
}
