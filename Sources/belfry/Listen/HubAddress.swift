import Foundation

/// Where the hub's WebSocket is, taken from the hub's URL.
struct HubAddress: Equatable {
    var host: String
    var port: Int
    var isTLS: Bool
    /// The request's path.
    var path: String

    /// - Parameter url: `http://…` or `https://…`, without a slash at the end; a path is kept, for hubs behind a proxy.
    init?(_ url: String) {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme, ["http", "https"].contains(scheme)
        else { return nil }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        isTLS = scheme == "https"
        port = parts.port ?? (isTLS ? 443 : 80)
        path = parts.percentEncodedPath + "/v1/ws"
    }

    /// The Host header.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}
