import BelfryCore
import BelfryCrypto
import BelfryPage
import HTTPTypes
import NIOCore
import NIOHTTP1

/// The page at `/` and its files. They hold nothing that is anybody's, so everybody may have them.
struct PageRoutes {
    func add(to table: inout RouteTable) {
        for asset in PageAsset.all {
            table.add(.get, "/\(asset.path)", .open) { asset.reply(to: $0) }
        }
    }
}

/// A file of the page as it is served.
struct PageAsset: Sendable {
    let path: String
    private let contentType: String
    private let body: ByteBuffer
    private let tag: String

    /// Everything that is built in.
    static let all: [PageAsset] = (0...).lazy.map { belfry_page_asset_at($0) }.prefix { $0.path != nil }
        .map { PageAsset($0) }

    private init(_ asset: belfry_page_asset) {
        let bytes = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.count))
        path = String(cString: asset.path)
        contentType = String(cString: asset.content_type)
        body = ByteBuffer(bytes: bytes)
        tag = "\"\(Hex.encode(Digest.sha256(bytes).prefix(12)))\""
    }

    func reply(to request: RouteRequest) -> Reply {
        var headers: [(name: String, value: String)] = [("etag", tag), ("cache-control", "no-cache")]
        if request.headers[canonicalForm: "if-none-match"].contains(where: { $0 == tag || $0 == "W/\(tag)" }) {
            return .empty(304, headers: headers + Self.policy)
        }
        headers.append(("content-type", contentType))
        return .response(OutboundResponse(status: 200, reason: "OK", headers: headers + Self.policy, body: body))
    }

    /// Nothing from elsewhere is loaded, run, framed or told where the browser came from. `connect-src` covers the
    /// event stream, the API and, as `self`, the WebSocket.
    private static let policy: [(name: String, value: String)] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
    ]
}
