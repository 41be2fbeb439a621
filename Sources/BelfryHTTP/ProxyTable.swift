import Glibc

/// Which proxy a target is reached through, decided before the transfer begins, so that the address check knows whether
/// it will see the target's address or the proxy's. The variables and their meaning are curl's (man curl, ENVIRONMENT).
struct ProxyTable: Sendable {
    private let proxies: [String: String]
    private let fallback: String?
    private let exceptions: [String]

    init(_ choice: OutboundPolicy.ProxyChoice) {
        switch choice {
        case .environment: self.init(environment: { name in getenv(name).map { String(cString: $0) } })
        case .none: self.init(environment: { _ in nil })
        case .fixed(let proxy): self.init(environment: { $0 == "all_proxy" ? proxy : nil })
        }
    }

    init(environment: (String) -> String?) {
        func first(_ names: String...) -> String? { names.lazy.compactMap(environment).first { !$0.isEmpty } }
        // Upper case HTTP_PROXY is not read: behind CGI a client's `Proxy:` header sets it.
        proxies = ["http": first("http_proxy"), "https": first("https_proxy", "HTTPS_PROXY")].compactMapValues { $0 }
        fallback = first("all_proxy", "ALL_PROXY")
        exceptions = (first("no_proxy", "NO_PROXY") ?? "").lowercased()
            .split { $0 == "," || $0 == " " }.map { String($0.hasPrefix(".") ? $0.dropFirst() : $0) }
    }

    /// The proxy's URL, or nil for a direct connection.
    func proxy(for target: HTTPTarget) -> String? {
        guard let proxy = proxies[target.scheme] ?? fallback, !exceptions.contains(where: { excepts($0, target.host) })
        else { return nil }
        return proxy
    }

    private func excepts(_ entry: String, _ host: String) -> Bool {
        if entry == "*" { return true }
        if let address = IPAddress(literal: host) {
            let parts = entry.split(separator: "/", maxSplits: 1)
            guard let network = parts.first.flatMap({ IPAddress(literal: String($0)) }) else { return false }
            return address.isIn(network, bits: parts.count == 2 ? Int(parts[1]) ?? -1 : network.bytes.count * 8)
        }
        return host == entry || host.hasSuffix("." + entry)
    }
}
