public import BelfryCore

/// Makes deliveries that a source accepts: for `belfry send` and for tests.
public enum DeliverySigner {
    /// The headers that make `body` a valid delivery of this source at `now`.
    ///
    /// They verify and identify it; its content type, and what else the sender says (`X-GitHub-Event`), is the caller's
    /// to add. Without a secret they only identify it.
    /// - Parameter id: the sender's id of the delivery. The same id is the same delivery.
    public static func headers(
        for source: SourceDefinition, secret: Secret?, body: [UInt8], id: String, now: Timestamp
    ) -> [(name: String, value: String)] {
        let traits = source.preset.traits
        var headers = traits.sentHeaders(id)
        if let secret { headers += traits.scheme(source).sign(body, secret: secret, id: id, now: now) }
        for place in source.identity where place.hasPrefix("header.") {
            let name = String(place.dropFirst(7))
            if !headers.contains(where: { $0.name.lowercased() == name.lowercased() }) { headers.append((name, id)) }
        }
        return headers
    }

    /// The headers of a message of our own, as Standard Webhooks signs it: `webhook-id`, `webhook-timestamp` and, with a secret,
    /// `webhook-signature`.
    /// - Returns: nil if the secret can't sign.
    public static func standardWebhooks(
        _ body: [UInt8], secret: Secret?, id: String, now: Timestamp
    ) -> [(name: String, value: String)]? {
        let scheme = StandardWebhooksScheme(headerPrefix: "webhook")
        guard let secret else { return scheme.unsigned(id: id, now: now) }
        let headers = scheme.sign(body, secret: secret, id: id, now: now)
        return headers.count == 3 ? headers : nil
    }
}
