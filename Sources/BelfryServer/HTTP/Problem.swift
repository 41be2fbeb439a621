import BelfryCore
import NIOCore

/// An error as its sender reads it: RFC 9457 problem details with a stable `code`.
struct Problem: Sendable {
    var error: BelfryError
    /// Where the request can be found in the log.
    var requestID: String?

    init(_ error: BelfryError, requestID: String? = nil) {
        self.error = error
        self.requestID = requestID
    }

    /// The HTTP status of every code; what is not listed is the server's own fault.
    private static let statuses: [BelfryError.Code: Int] = [
        .malformed: 400, .invalidJSON: 400, .missingAttribute: 400,
        .signatureMissing: 401, .signatureInvalid: 401, .signatureStale: 401, .unauthorized: 401,
        .forbidden: 403, .commandNotAllowed: 403, .addressNotAllowed: 403,
        .notFound: 404, .unknownSource: 404, .unknownTarget: 404,
        .methodNotAllowed: 405, .requestTimeout: 408,
        .conflict: 409, .managedByFile: 409, .sameBody: 409,
        .retired: 410, .preconditionFailed: 412, .payloadTooLarge: 413, .unsupportedMediaType: 415,
        .expectationFailed: 417, .upgradeRequired: 426, .invalidDocument: 422, .tooManyRequests: 429,
        .headersTooLarge: 431,
        .overloaded: 503, .secretUnavailable: 503, .storageFull: 503, .storageFailed: 503, .shuttingDown: 503,
    ]

    private static let reasons: [Int: String] = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 412: "Precondition Failed", 413: "Content Too Large",
        415: "Unsupported Media Type", 417: "Expectation Failed", 422: "Unprocessable Content",
        426: "Upgrade Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error",
        503: "Service Unavailable",
    ]

    var status: Int { Self.statuses[error.code] ?? 500 }
    var reason: String { Self.reasons[status] ?? "Error" }

    /// `{type, title, status, detail, code, …details, request_id?}`
    var json: RawJSON {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "urn:belfry:problem:\(error.code.rawValue)")
        writer.member("title", reason)
        writer.member("status", Int64(status))
        writer.member("detail", error.message)
        writer.member("code", error.code.rawValue)
        let own: Set = ["type", "title", "status", "detail", "code", "request_id"]
        for member in error.details.members where !own.contains(member.key) {
            writer.member(member.key, member.value)
        }
        writer.member("request_id", ifPresent: requestID)
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }

    /// Headers beside the content type: how to authenticate, when to try again.
    var headers: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        switch error.code {
        case .unauthorized: headers.append(("www-authenticate", "Bearer realm=\"belfry\""))
        // RFC 9110 wants a challenge with every 401; signatures have no registered scheme.
        case .signatureMissing, .signatureInvalid, .signatureStale:
            headers.append(("www-authenticate", "Signature realm=\"hooks\""))
        case .upgradeRequired:
            headers += [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13")]
        // RFC 9110, section 15.5.16: which encodings would be taken.
        case .unsupportedMediaType:
            if let encodings = error.details["encodings"]?.array?.compactMap(\.string) {
                headers.append(("accept-encoding", encodings.joined(separator: ", ")))
            }
        default: break
        }
        let wait = error.retryAfter ?? (status == 503 || status == 429 ? .seconds(2) : nil)
        if let wait { headers.append(("retry-after", String(max(1, (wait.milliseconds + 999) / 1000)))) }
        return headers
    }

    var response: OutboundResponse {
        OutboundResponse(
            status: status, reason: reason,
            headers: [("content-type", "application/problem+json"), ("cache-control", "no-store")] + headers,
            body: ByteBuffer(bytes: json.bytes)
        )
    }
}
