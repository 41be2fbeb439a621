import BelfryCore
import BelfrySources
import NIOCore

extension Reply {
    /// A JSON answer.
    static func json(_ json: RawJSON, status: Int = 200, headers: [(name: String, value: String)] = []) -> Reply {
        .response(
            OutboundResponse(
                status: status, reason: reason(status),
                headers: [("content-type", "application/json"), ("cache-control", "no-store")] + headers,
                body: ByteBuffer(bytes: json.bytes)
            )
        )
    }

    static func json(_ object: JSONObject, status: Int = 200, headers: [(name: String, value: String)] = []) -> Reply {
        json(RawJSON(.object(object)), status: status, headers: headers)
    }

    /// `{"items": […], "next": cursor|null}`
    static func list(_ items: [JSONObject], next: String? = nil) -> Reply {
        json(["items": .array(items.map(JSONValue.object)), "next": .optional(next)])
    }

    /// An answer without a body: 204, 304.
    static func empty(_ status: Int, headers: [(name: String, value: String)] = []) -> Reply {
        .response(OutboundResponse(status: status, reason: reason(status), headers: headers, body: ByteBuffer()))
    }

    static func bytes(
        _ bytes: [UInt8], contentType: String, status: Int = 200, headers: [(name: String, value: String)] = []
    ) -> Reply {
        .response(
            OutboundResponse(
                status: status, reason: reason(status),
                headers: [("content-type", contentType), ("cache-control", "no-store")] + headers,
                body: ByteBuffer(bytes: bytes)
            )
        )
    }

    /// What a sender asked to be told.
    static func answer(_ answer: DeliveryAnswer) -> Reply {
        .response(
            OutboundResponse(
                status: answer.status, reason: reason(answer.status),
                headers: answer.headers + [("cache-control", "no-store")], body: ByteBuffer(bytes: answer.body)
            )
        )
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 303: "See Other"
        case 304: "Not Modified"
        default: status < 400 ? "OK" : "Error"
        }
    }
}
