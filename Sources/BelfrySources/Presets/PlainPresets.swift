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
            scheme: scheme, keptHeaders: ["content-type", "user-agent"], normalise: PlainReader.read, setUp: setUp
        )
    }
}

private enum PlainReader {
    @Sendable static func read(_ delivery: VerifiedDelivery) throws(BelfryError) -> PresetTraits.Reading {
        let source = delivery.source
        let places = source.identity + [source.typePath, source.subjectPath].compactMap { $0 }
        let bodyPaths = places.filter { $0.hasPrefix("body.") }.map { String($0.dropFirst(5)) }
        let payload = try payload(of: delivery, JSONPaths(Array(bodyPaths.prefix(64))))

        func value(at place: String) -> String? {
            place.hasPrefix("body.")
                ? payload?.scalar(String(place.dropFirst(5))) : delivery.headerValue(at: place)
        }
        let keyPlace = source.identity.first { value(at: $0)?.isEmpty == false }
        if keyPlace == nil, !source.identity.isEmpty {
            throw BelfryError(
                .missingAttribute, "the delivery has none of \(source.identity.joined(separator: ", ")), its identity"
            )
        }
        return .events([
            IncomingEvent(
                key: keyPlace.flatMap(value), isKeySigned: keyPlace.map(delivery.isSigned) ?? false,
                type: source.typePath.flatMap(value).flatMap { $0.isEmpty ? nil : $0 } ?? DefaultType.webhook,
                subject: source.subjectPath.flatMap(value), data: payload?.json ?? delivery.opaqueData
            )
        ])
    }

    /// The body as JSON if it says that it is, or says nothing and is; else nil.
    private static func payload(
        of delivery: VerifiedDelivery, _ paths: JSONPaths
    ) throws(BelfryError) -> PickedJSON? {
        switch MediaType(delivery.delivery.headers["content-type"]) {
        case .json: try VerifiedDelivery.pick(delivery.delivery.body[...], paths)
        case .absent: try? PickedJSON(delivery.delivery.body[...], paths)
        case .lines, .form, .multipart, .other: nil
        }
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
