import ArgumentParser
import Glibc

/// Which hub, and who is asking.
struct HubOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The hub (BELFRY_URL; default http://127.0.0.1:8420).", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("Token (BELFRY_TOKEN; default: the one in DIR/admin.token).", valueName: "token"))
    var token: String?

    @Option(help: ArgumentHelp("Data folder of a hub on this machine (BELFRY_DATA; default ./data).", valueName: "dir"))
    var data: String?

    /// A file with the authorities that vouch for the hub, where the system's do not, as OpenSSL names it.
    static var authorityFile: String? { Environment.value("SSL_CERT_FILE") }

    var hubURL: String { url ?? Environment.value("BELFRY_URL") ?? "http://127.0.0.1:8420" }

    /// Without a slash at the end.
    var baseURL: String { hubURL.hasSuffix("/") ? String(hubURL.dropLast()) : hubURL }

    var dataFolder: String { data ?? Environment.value("BELFRY_DATA") ?? ServeConfiguration().data }

    /// The file that the hub's first start wrote.
    private var tokenPath: String { "\(dataFolder)/admin.token" }

    /// The client, with the first token found: flag, environment, the local hub's file.
    func client() throws -> APIClient {
        let url = hubURL
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw Failure(.usage, "\(url) is no hub's address; it begins with http:// or https://")
        }
        let token = try tokenIfAny(url)
        return APIClient(url: url, token: token, noTokenAt: token == nil ? tokenPath : nil)
    }

    /// The token, for what cannot do without.
    func foundToken() throws -> String {
        guard let token = try tokenIfAny(hubURL) else {
            throw Failure(
                .refused, "no token at \(tokenPath); give one with --token or BELFRY_TOKEN, or the folder with --data")
        }
        return token
    }

    private func tokenIfAny(_ url: String) throws -> String? {
        try token ?? Environment.value("BELFRY_TOKEN") ?? tokenOfLocalHub(url)
    }

    /// The admin token never leaves this machine unasked.
    private func tokenOfLocalHub(_ url: String) throws -> String? {
        guard Loopback.isLoopback(url: url) else {
            throw Failure(.refused, "\(url) is another machine; give a token with --token or BELFRY_TOKEN")
        }
        guard let text = try? LocalFile.text(at: tokenPath, bytesMax: 4096) else { return nil }
        let token = text.prefix { !$0.isWhitespace }
        return token.isEmpty ? nil : String(token)
    }
}

/// Environment variables; an empty one counts as absent.
enum Environment {
    static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
