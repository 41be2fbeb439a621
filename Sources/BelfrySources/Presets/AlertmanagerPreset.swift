import BelfryCore

extension PresetTraits {
    /// Prometheus Alertmanager's webhook receiver (payload version 4): one event per alert.
    static let alertmanager = PresetTraits(
        scheme: { _ in TokenScheme(header: nil) },
        keptHeaders: ["content-type", "user-agent"],
        normalise: { (delivery) throws(BelfryError) in
            .events(try AlertGroup.events(of: delivery))
        },
        setUp: { setUp in
            [
                "In alertmanager.yml, a receiver that a route names:",
                "  receivers:",
                "    - name: belfry",
                "      webhook_configs:",
                "        - url: \(setUp.url)",
                "          send_resolved: true",
                "          http_config:",
                "            authorization: { type: Bearer, credentials: \(setUp.secret) }",
                "Each alert becomes one event. A repeat of the same alert (repeat_interval) is a duplicate.",
            ]
        }
    )
}

/// A group of alerts, as Alertmanager and Grafana send it; each alert becomes an event of its own that carries the group.
enum AlertGroup {
    /// What of the group every alert's `group` says.
    private static let groupMembers = [
        "groupKey", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "receiver", "truncatedAlerts",
    ]
    private static let groupPaths = JSONPaths(groupMembers + ["alerts"])
    private static let alertPaths = JSONPaths(["fingerprint", "status", "startsAt", "endsAt"])

    static func events(of delivery: VerifiedDelivery) throws(BelfryError) -> [IncomingEvent] {
        let payload = try delivery.json(groupPaths)
        guard let alerts = payload.elements("alerts", max: Limits.eventsPerDeliveryMax) else {
            throw BelfryError(
                .missingAttribute,
                "the body has no array `alerts`; is it the webhook format of Alertmanager or Grafana?")
        }
        // Checked before anything is copied: each event carries the group.
        guard alerts.count <= Limits.eventsPerDeliveryMax else {
            throw BelfryError(
                .malformed,
                "the delivery holds more than \(Limits.eventsPerDeliveryMax) alerts; set max_alerts to that"
            )
        }
        let group = groupText(payload)
        let groupBytesMax = delivery.source.bodyBytesMax
        guard alerts.count * group.count <= groupBytesMax + alerts.count * 4096 else {
            throw BelfryError(
                .payloadTooLarge, "the group's labels, copied to each alert, would pass \(groupBytesMax) bytes")
        }
        let origin = payload.string("receiver")
        let isSigned = delivery.verification.isBodySigned
        var events: [IncomingEvent] = []
        events.reserveCapacity(alerts.count)
        for (index, alert) in alerts.enumerated() {
            do throws(BelfryError) {
                events.append(try event(of: alert, group: group, origin: origin, isSigned: isSigned))
            } catch {
                throw error.ofItem(index)
            }
        }
        return events
    }

    private static func event(
        of text: ArraySlice<UInt8>, group: [UInt8], origin: String?, isSigned: Bool
    ) throws(BelfryError) -> IncomingEvent {
        let alert = try VerifiedDelivery.pick(text, alertPaths)
        guard text.first == UInt8(ascii: "{") else { throw BelfryError(.malformed, "an alert is an object") }
        let fingerprint = try alert.required("fingerprint")
        let status = try alert.required("status")
        let startsAt = try alert.required("startsAt")
        guard status == "firing" || status == "resolved" else {
            throw BelfryError(.malformed, "`status` is firing or resolved")
        }
        guard let start = Timestamp(startsAt) else { throw BelfryError(.malformed, "`startsAt` is no RFC 3339 time") }
        let end = status == "resolved" ? alert.string("endsAt").flatMap { Timestamp($0) } : nil
        return IncomingEvent(
            origin: origin, key: "\(fingerprint)/\(status)/\(startsAt)", isKeySigned: isSigned, type: "alert.\(status)",
            subject: fingerprint, time: end ?? start, data: spliced(text, group: group)
        )
    }

    /// `"group":{…}`, its values as the sender wrote them.
    private static func groupText(_ payload: PickedJSON) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 1024)
        writer.beginObject()
        for name in groupMembers {
            guard let value = payload.raw(name) else { continue }
            writer.key(name)
            writer.raw(value)
        }
        writer.endObject()
        return Array(#""group":"#.utf8) + writer.bytes
    }

    /// The alert's own text with the group as its last member, which wins should there be another of that name.
    private static func spliced(_ alert: ArraySlice<UInt8>, group: [UInt8]) -> RawJSON {
        let open = alert.dropLast()
        let isEmpty = open.dropFirst().allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(alert.count + group.count + 1)
        bytes.append(contentsOf: open)
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: group)
        bytes.append(UInt8(ascii: "}"))
        return RawJSON(trusted: bytes)
    }
}
