import BelfryCore

extension PresetTraits {
    /// Readings of small devices: a JSON object, an array of them, or one per line.
    static let sensor = PresetTraits(
        scheme: { source in
            if let signature = source.signature { return HMACScheme(settings: signature) }
            return TokenOrHMACScheme(
                token: TokenScheme(header: source.tokenHeader), hmac: HMACScheme(settings: .standard))
        },
        accepts: [.json, .ndjson],
        isEnvelope: CloudEvents.areSpoken,
        keptHeaders: ["content-type", "user-agent"],
        normalise: { (delivery) throws(BelfryError) in .events(try SensorPreset.readings(in: delivery)) },
        setUp: { setUp in
            [
                "Send a reading, an array of readings, or one reading per line (application/x-ndjson):",
                "  curl \(setUp.url) -H 'Authorization: Bearer \(setUp.secret)' \\",
                "    -H 'Content-Type: application/json' -d '{\"sensor\":\"pump-7\",\"celsius\":71.5}'",
                "`sensor` names the device. With an `id`, or a `time` (RFC 3339 or seconds since 1970), a repeat",
                "is recognised. `\"alert\": true` makes it a sensor.alert. Instead of the token, the header",
                "X-Signature: sha256=<hex> may carry the HMAC-SHA256 of the body.",
            ]
        }
    )
}

extension SignatureSettings {
    /// What a source signs if its document does not say: `X-Signature: sha256=<hex of the HMAC-SHA256 of the body>`.
    static let standard: SignatureSettings = {
        var settings = SignatureSettings(header: "X-Signature")
        settings.prefix = "sha256="
        return settings
    }()
}

enum SensorPreset {
    private static let sensorNames = ["sensor", "sensor_id", "device", "device_id"]
    private static let timeNames = ["time", "timestamp", "ts"]

    static func readings(in delivery: VerifiedDelivery) throws(BelfryError) -> [IncomingEvent] {
        if CloudEvents.areSpoken(in: delivery.delivery.headers) {
            return try CloudEvents.read(headers: delivery.delivery.headers, body: delivery.delivery.body)
        }
        var paths = ["id", "type", "alert"] + sensorNames + timeNames
        if let own = delivery.source.subjectPath, own.hasPrefix("body.") { paths.append(String(own.dropFirst(5))) }
        let lookups = JSONPaths(paths)
        var items = try delivery.items()
        var isList = delivery.kind == .ndjson
        if delivery.kind == .json, delivery.delivery.body.first(where: { !$0.isJSONSpace }) == UInt8(ascii: "[") {
            let text = try delivery.json(JSONPaths([])).text
            items = RawJSON.elements(of: text, max: Limits.eventsPerDeliveryMax) ?? items
            isList = true
        }
        return try delivery.events(of: items, isList: isList, lookups) { (item, _) throws(BelfryError) in
            try reading(item, delivery)
        }
    }

    private static func reading(
        _ reading: PickedJSON, _ delivery: VerifiedDelivery
    ) throws(BelfryError) -> IncomingEvent {
        guard reading.text.first(where: { !$0.isJSONSpace }) == UInt8(ascii: "{") else {
            throw BelfryError(.malformed, "a reading is a JSON object")
        }
        let source = delivery.source
        let own = source.subjectPath.flatMap { path in
            path.hasPrefix("body.") ? reading.scalar(String(path.dropFirst(5))) : delivery.headerValue(at: path)
        }
        let sensor = own ?? sensorNames.lazy.compactMap { reading.scalar($0) }.first
        let timeName = timeNames.first { reading.scalar($0) != nil }
        let timeText = timeName.flatMap { reading.scalar($0) }
        let time = timeText.flatMap { Timestamp(reading: $0) }
        var key = reading.scalar("id")
        if key == nil, let sensor, let timeText, time != nil { key = "\(sensor)@\(timeText)" }
        return IncomingEvent(
            key: key, isKeySigned: delivery.verification.isBodySigned,
            type: isAlert(reading) ? "sensor.alert" : "sensor.reading", subject: sensor, time: time, data: reading.json
        )
    }

    private static func isAlert(_ reading: PickedJSON) -> Bool {
        if let type = reading.string("type"), type == "alert" || type == "sensor.alert" { return true }
        guard let alert = reading.raw("alert") else { return false }
        let isSaidNot = ["false", "null", "0", "\"\""].contains { alert.elementsEqual($0.utf8) }
        return !isSaidNot
    }
}

extension Timestamp {
    /// A device's time: RFC 3339, or seconds since 1970 with or without a fraction, or (from 10¹¹ on) milliseconds.
    init?(reading text: String) {
        if let time = Timestamp(text) {
            self = time
        } else if let number = Double(text), number >= 0, number < 1e14 {
            self = Timestamp(milliseconds: number < 1e11 ? Int64((number * 1000).rounded()) : Int64(number))
        } else {
            return nil
        }
    }
}

extension UInt8 {
    /// White space of JSON's grammar.
    var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
