import BelfryCore
import NIOCore
import NIOHTTP1

/// What a browser asks before it lets a page of another origin read the API (the Fetch standard, "CORS protocol"). Only
/// pages of `cors.origins` may; by default there are none.
struct CrossOrigin: Sendable {
    let origins: OriginPolicy

    /// Headers of requests that a page may send, beside those that need no asking.
    private static let requestHeaders =
        "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, traceparent"
    private static let methods = "GET, POST, PUT, PATCH, DELETE"
    /// Headers of answers that a page may read.
    private static let answerHeaders = "etag, retry-after"

    /// The answer to a preflight; nil if it is none, or not from a page that may.
    func preflight(_ head: HTTPRequestHead, path: String) -> OutboundResponse? {
        guard head.method == .OPTIONS, path.hasPrefix("/v1/"), let origin = origins.listed(head.headers),
            head.headers.contains(name: "access-control-request-method")
        else { return nil }
        let headers = [
            ("access-control-allow-methods", Self.methods), ("access-control-allow-headers", Self.requestHeaders),
            ("access-control-max-age", String(Limits.preflightLifetime.components.seconds)),
        ]
        return OutboundResponse(
            status: 204, reason: "No Content", headers: allow(origin) + headers, body: ByteBuffer()
        )
    }

    /// Headers of every other answer.
    func headers(_ head: HTTPRequestHead, path: String) -> [(name: String, value: String)] {
        guard origins.listsAny, path.hasPrefix("/v1/") else { return [] }
        guard let origin = origins.listed(head.headers) else { return [("vary", "origin")] }
        return allow(origin) + [("access-control-expose-headers", Self.answerHeaders)]
    }

    private func allow(_ origin: String) -> [(name: String, value: String)] {
        [
            ("access-control-allow-origin", origin), ("access-control-allow-credentials", "true"),
            ("vary", "origin"),
        ]
    }
}
