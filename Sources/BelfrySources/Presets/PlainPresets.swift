import BelfryCore

/// The presets for senders without conventions of their own: what identifies a delivery is the source's to say.
extension PresetTraits {
    /// A signature whose header, content and encoding are configured.
    static let hmac = plain(
        scheme: { source in HMACScheme(settings: source.signature ?? .standard) },
        setUp: { setUp in
            let signature = setUp.source.signature ?? .standard
            return [
                "At the sender:",
                "  URL      \(setUp.url)",
                "  Secret   \(setUp.secret)",
                "Each request carries \(signature.header): \(signature.prefix)<\(signature.encoding.rawValue)>,"
                    + " the HMAC-\(signature.algorithm.rawValue.uppercased()) of \(signature.content).",
            ]
        }
    )

    /// A shared secret in a header.
    static let token = plain(
        scheme: { source in TokenScheme(header: source.tokenHeader) },
        setUp: { setUp in
            let header = setUp.source.tokenHeader.map { "\($0): " } ?? "Authorization: Bearer "
            return [
                "At the sender:",
                "  URL      \(setUp.url)",
                "  Header   \(header)\(setUp.secret)",
                "  curl \(setUp.url) -H '\(header)\(setUp.secret)' \\",
                "    -H 'Content-Type: application/json' -d '{\"hello\":1}'",
            ]
        }
    )

    /// Nothing is verified: only for what runs on the same machine.
    static let none = plain(
        scheme: { _ in LoopbackScheme() },
        setUp: { setUp in
            [
                "From this machine only, without a proxy:",
                "  curl \(setUp.url) -H 'Content-Type: application/json' -d '{\"hello\":1}'",
                "Use the preset token or hmac for senders on other machines.",
            ]
        }
    )

    private static func plain(
        scheme: @escaping @Sendable (SourceDefinition) -> any VerificationScheme,
        setUp: @escaping @Sendable (SetUp) -> [String]
    ) -> PresetTraits {
        PresetTraits(
            scheme: scheme, accepts: BodyKind.allCases, keptHeaders: ["content-type", "user-agent"],
            normalise: PlainReader.read, setUp: setUp
        )
    }
}

private enum PlainReader {
    @Sendable static func read(_ delivery: VerifiedDelivery) throws(BelfryError) -> PresetTraits.Reading {
        let source = delivery.source
        let places = source.identity + [source.typePath, source.subjectPath].compactMap { $0 }
        let bodyPaths = places.filter { $0.hasPrefix("body.") }.map { String($0.dropFirst(5)) }
        let items = try delivery.items()
        let form = try delivery.form()
        let events = try delivery.events(
            of: items, isList: delivery.kind == .ndjson, JSONPaths(Array(bodyPaths.prefix(64)))
        ) { (item, index) throws(BelfryError) in
            try event(item, delivery, form, lineIndex: items.count > 1 ? index : nil)
        }
        return .events(events)
    }

    /// - Parameter lineIndex: which of several lines it is; nil if it is alone.
    private static func event(
        _ item: PickedJSON, _ delivery: VerifiedDelivery, _ form: FormFields?, lineIndex: Int?
    ) throws(BelfryError) -> IncomingEvent {
        let source = delivery.source
        func value(at place: String) -> String? {
            guard place.hasPrefix("body.") else { return delivery.headerValue(at: place) }
            let path = String(place.dropFirst(5))
            // A form has no nesting: a point belongs to the field's name. Of a repeated field the first counts.
            return item.scalar(path) ?? form?.fields.first { $0.name.hasSameBytes(as: path) }?.value
        }
        let keyPlace = source.identity.first { value(at: $0)?.isEmpty == false }
        if keyPlace == nil, !source.identity.isEmpty {
            throw BelfryError(
                .missingAttribute, "the delivery has none of \(source.identity.joined(separator: ", ")), its identity"
            )
        }
        var key = keyPlace.flatMap(value)
        // A header names the delivery; its lines are different events.
        if let given = key, let lineIndex, keyPlace?.hasPrefix("body.") == false { key = "\(given)#\(lineIndex)" }
        return IncomingEvent(
            key: key, isKeySigned: keyPlace.map(delivery.isSigned) ?? false,
            type: source.typePath.flatMap(value).flatMap { $0.isEmpty ? nil : $0 } ?? DefaultType.webhook,
            subject: source.subjectPath.flatMap(value), data: item.json
        )
    }
}

extension VerifiedDelivery {
    /// The value of `header.NAME`; nil for other places and for headers that are not there.
    func headerValue(at place: String) -> String? {
        guard place.hasPrefix("header.") else { return nil }
        let name = place.dropFirst(7).lowercased()
        let isConfidential =
            ConfidentialHeader.isSuspect(name)
            || source.preset.traits.scheme(source).confidentialHeaders.contains(name)
        return isConfidential ? nil : delivery.headers[name]
    }

    /// Whether the signature covers the place that a value was taken from.
    func isSigned(_ place: String) -> Bool {
        place.hasPrefix("body.")
            ? verification.isBodySigned : verification.signedHeaders.contains(place.dropFirst(7).lowercased())
    }
}
