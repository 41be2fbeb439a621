import BelfryCore
import NIOHTTP1

/// The cookie that holds a browser's session token: not for scripts, and not sent with what other sites make the
/// browser ask.
enum SessionCookie {
    /// `Set-Cookie` for a new session.
    static func header(_ token: Secret, host: String?, isSecure: Bool) -> (name: String, value: String) {
        set(token.text, seconds: Limits.sessionLifetime.milliseconds / 1000, host: host, isSecure: isSecure)
    }

    /// `Set-Cookie` that makes the browser forget it.
    static func forgettingHeader(host: String?, isSecure: Bool) -> (name: String, value: String) {
        set("", seconds: 0, host: host, isSecure: isSecure)
    }

    /// The token in a request. Nil if there is none, or several: then somebody else has added one.
    static func token(in headers: HTTPHeaders) -> String? {
        let name = name(host: headers.first(name: "host"))
        var found: Substring?
        for header in headers["cookie"] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == name else { continue }
                guard found == nil else { return nil }
                found = parts[1]
            }
        }
        return found.map(String.init)
    }

    /// `belfry_session`, with the port that the browser asked for: cookies don't know ports, and two hubs on one host
    /// would sign each other's browsers out.
    private static func name(host: String?) -> String {
        let port = host.flatMap { HostAndPort($0) }?.port
        return port.map { "belfry_session_\($0)" } ?? "belfry_session"
    }

    private static func set(
        _ value: String, seconds: Int64, host: String?, isSecure: Bool
    ) -> (name: String, value: String) {
        let attributes = "Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
        return ("set-cookie", "\(name(host: host))=\(value); \(attributes)")
    }
}
