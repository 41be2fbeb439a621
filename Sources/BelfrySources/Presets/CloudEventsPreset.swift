import BelfryCore

extension PresetTraits {
    /// CloudEvents 1.0 over HTTP (cloudevents/spec, http-protocol-binding and http-webhook): binary, structured, batch.
    static let cloudevents = PresetTraits(
        scheme: { source in TokenScheme(header: source.tokenHeader) },
        isEnvelope: { _ in true },
        keptHeaders: ["content-type", "user-agent"],
        preflight: CloudEventsHandshake.answer,
        normalise: { (delivery) throws(BelfryError) in
            .events(try CloudEvents.read(headers: delivery.delivery.headers, body: delivery.delivery.body))
        },
        setUp: { setUp in
            let header = setUp.source.tokenHeader.map { "\($0): " } ?? "Authorization: Bearer "
            return [
                "At the sender (an event broker's subscription, a gateway, a device):",
                "  URL      \(setUp.url)",
                "  Header   \(header)\(setUp.secret)",
                "Binary, structured and batched events are taken; the handshake of brokers (OPTIONS with",
                "WebHook-Request-Origin) is answered. By hand:",
                "  curl \(setUp.url) -H '\(header)\(setUp.secret)' \\",
                "    -H 'ce-specversion: 1.0' -H 'ce-id: 1' -H 'ce-source: /me' -H 'ce-type: hello' \\",
                "    -H 'Content-Type: application/json' -d '{\"hello\":1}'",
            ]
        },
        sentHeaders: { id in [("ce-id", id)] }
    )
}

/// The abuse protection of CloudEvents' webhooks (http-webhook.md, section 4): a broker asks whether it may send.
///
/// It may: what it sends is verified. Nothing is fetched from `WebHook-Request-Callback`, which anybody could fill in.
private enum CloudEventsHandshake {
    @Sendable static func answer(_ delivery: Delivery) -> Verdict? {
        let origins = delivery.headers.values("webhook-request-origin")
        guard delivery.method == "OPTIONS", let origin = origins.first else { return nil }
        guard origins.count == 1, isHostName(origin) else {
            return .refused(BelfryError(.malformed, "WebHook-Request-Origin must be one host name"))
        }
        var headers = [("WebHook-Allowed-Origin", origin), ("Allow", "POST, OPTIONS")]
        let rates = delivery.headers.values("webhook-request-rate")
        if let rate = rates.first {
            let isNumber = (1...9).contains(rate.utf8.count) && rate.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard rates.count == 1, isNumber, let perMinute = UInt32(rate), perMinute > 0 else {
                return .refused(BelfryError(.malformed, "WebHook-Request-Rate must be a number of requests a minute"))
            }
            headers.append(("WebHook-Allowed-Rate", String(perMinute)))
        }
        return .answered(DeliveryAnswer(headers: headers))
    }

    /// What may be said back: a DNS name, with a port perhaps.
    private static func isHostName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }
}
