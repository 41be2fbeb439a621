/// What a proxy between a client and the hub does wrong, and which lines of its configuration mend it.
enum ProxyFault: CaseIterable, Sendable {
    case buffers, cutsQuiet, noUpgrade, noLastEventID, noAuthorization, otherHost, noForwardedFor

    /// The program that the answers name; nil if they name none, as HAProxy's don't.
    enum Server: String, CaseIterable, Sendable {
        case nginx, haproxy, caddy

        /// - Parameter headers: of an answer that came through it.
        init?(_ headers: [(name: String, value: String)]) {
            let said = headers.filter { ["server", "via"].contains($0.name.lowercased()) }
                .map { $0.value.lowercased() }.joined(separator: " ")
            let found = Self.allCases.first { said.contains($0.rawValue) }
            guard let server = found ?? (said.contains("openresty") ? .nginx : nil) else { return nil }
            self = server
        }

        /// As its makers write it.
        var name: String {
            switch self {
            case .nginx: "nginx"
            case .haproxy: "HAProxy"
            case .caddy: "Caddy"
            }
        }

        /// A configuration that is known to work.
        var example: String {
            switch self {
            case .nginx: "ops/nginx/belfry.conf"
            case .haproxy: "ops/haproxy/haproxy.cfg"
            case .caddy: "ops/caddy/Caddyfile"
            }
        }
    }

    /// What to do about it. Without a server it says it for all three.
    func mend(_ server: Server?) -> String {
        guard let server else {
            return Server.allCases.map { "\($0.name): \(directive($0))" }.joined(separator: "; ")
        }
        return "\(directive(server)) (\(server.example))"
    }

    private func directive(_ server: Server) -> String {
        switch server {
        case .nginx: nginx
        case .haproxy: haproxy
        case .caddy: caddy
        }
    }

    private var nginx: String {
        switch self {
        case .buffers:
            "proxy_buffering off; and no X-Accel-Buffering in proxy_ignore_headers, no gzip for text/event-stream"
        case .cutsQuiet: "proxy_read_timeout 60s; and proxy_send_timeout 60s;"
        case .noUpgrade:
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
        case .noLastEventID: "no proxy_set_header Last-Event-ID \"\"; and no proxy_pass_request_headers off;"
        case .noAuthorization: "proxy_set_header Authorization $http_authorization;"
        case .otherHost: "proxy_set_header Host $http_host;"
        case .noForwardedFor: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
        }
    }

    private var haproxy: String {
        switch self {
        case .buffers: "option http-no-delay, and no compression of text/event-stream"
        case .cutsQuiet: "timeout client 60s, timeout server 60s and timeout tunnel 60s"
        case .noUpgrade: "mode http without option httpclose, and no http-request del-header Upgrade or Connection"
        case .noLastEventID: "no http-request del-header Last-Event-ID"
        case .noAuthorization: "no http-request del-header Authorization"
        case .otherHost: "no http-request set-header Host"
        case .noForwardedFor: "option forwardfor"
        }
    }

    private var caddy: String {
        switch self {
        case .buffers: "no buffer_responses or response_buffers in reverse_proxy, and no encode for text/event-stream"
        case .cutsQuiet: "no read_timeout, write_timeout or stream_timeout below 60s in reverse_proxy"
        case .noUpgrade: "no header_up -Upgrade or -Connection in reverse_proxy"
        case .noLastEventID: "no header_up -Last-Event-ID in reverse_proxy"
        case .noAuthorization: "no header_up -Authorization in reverse_proxy"
        case .otherHost: "no header_up Host in reverse_proxy"
        case .noForwardedFor: "no header_up -X-Forwarded-For in reverse_proxy"
        }
    }
}
