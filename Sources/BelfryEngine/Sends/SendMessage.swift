import BelfryCore
import BelfryHTTP
import BelfrySources

/// A message as it goes out, and the secrets in it.
struct SendMessage: Sendable {
    let request: HTTPRequest
    private let confidential: [String]

    /// - Throws: `secret_unavailable`, `payload_too_large`.
    init(
        _ work: SendWork, to target: SendTarget, secrets: SecretResolver, timeout: Duration, now: Timestamp
    ) throws(BelfryError) {
        var confidential = work.confidential
        func resolve(_ reference: SecretReference) throws(BelfryError) -> Secret {
            guard let secret = try secrets.resolve(reference) else {
                throw BelfryError(.secretUnavailable, "\(reference) is not set")
            }
            confidential.append(secret.text)
            return secret
        }
        let url: String
        switch target.address {
        case .url(let text): url = text
        case .reference(let reference):
            url = try resolve(reference).text
            // The receiver knows the part behind its own name, and may say it again.
            confidential.append(
                String(url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true).last ?? ""))
        }
        let body = target.isPlain || work.isBare || work.query != nil ? work.body : Self.envelope(of: work)
        guard work.body.count <= Limits.sendBodyBytesMax else {
            throw BelfryError(
                .payloadTooLarge,
                "the message has \(work.body.count) bytes; at most \(Limits.sendBodyBytesMax) are sent")
        }
        var headers: [(name: String, value: String)] = [
            ("Content-Type", "application/json"), ("User-Agent", "belfry"),
            (Hops.header, String(Hops.next(after: work.hops))),
        ]
        let secret: Secret? = if let reference = target.secret { try resolve(reference) } else { nil }
        guard
            let signed = DeliverySigner.standardWebhooks(body, secret: secret, id: work.webhookID, now: now)
        else {
            throw BelfryError(
                .secretUnavailable,
                "what \(target.secret.map(\.description) ?? "") holds signs nothing; a secret for signing is whsec_… in base 64"
            )
        }
        headers += signed
        for (name, reference) in target.headers.sorted(by: { $0.key < $1.key }) {
            let value = try resolve(reference).text
            headers.append((name, value))
            // Of `Bearer TOKEN` the token.
            confidential += value.split(separator: " ").dropFirst().map(String.init)
        }
        var request = HTTPRequest("POST", url: url, headers: headers, body: body)
        if let query = work.query {
            (request.method, request.url) = ("GET", url.adding(query))
            request.headers.removeAll { $0.name == "Content-Type" }
        }
        request.connectTimeout = timeout
        request.firstByteTimeout = timeout
        request.idleTimeout = timeout
        request.deadline = timeout
        self.request = request
        self.confidential = confidential.filter { $0.utf8.count >= Limits.secretBytesMin }
            .sorted { $0.utf8.count > $1.utf8.count }
    }

    /// `{type, timestamp, data}`, as Standard Webhooks writes a message.
    private static func envelope(of work: SendWork) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: work.body.count + 100)
        writer.beginObject()
        writer.member("type", work.type)
        writer.member("timestamp", work.created.description)
        writer.key("data")
        writer.raw(work.body)
        writer.endObject()
        return writer.bytes
    }

    /// The text of an answer without what we told the target in confidence: some answer with what they were sent.
    /// - Parameter bytesMax: as much of it was read.
    func withoutSecrets(_ answer: [UInt8], bytesMax: Int) -> String {
        var text = String(decoding: answer, as: UTF8.self)
        for secret in confidential {
            text = text.replacing(secret, with: "<secret>")
            // Its beginning, where the answer was cut.
            guard answer.count >= bytesMax else { continue }
            var beginning = Substring(secret)
            while beginning.utf8.count >= Limits.secretBytesMin / 2, !text.hasSuffix(beginning) {
                beginning.removeLast()
            }
            if text.hasSuffix(beginning) { text.removeLast(beginning.count) }
        }
        return text
    }
}

extension String {
    /// The URL with more parameters, before its fragment.
    fileprivate func adding(_ query: [(name: String, value: String)]) -> String {
        guard !query.isEmpty else { return self }
        let items = query.map { "\(PercentEncoding.component($0.name))=\(PercentEncoding.component($0.value))" }
        let end = firstIndex(of: "#") ?? endIndex
        let separator = self[..<end].contains("?") ? "&" : "?"
        return "\(self[..<end])\(separator)\(items.joined(separator: "&"))"
    }
}
