/// Where a page comes from: scheme, host and port (RFC 6454). Two pages of one origin trust each other.
public struct WebOrigin: Sendable, Hashable {
    /// `http` or `https`.
    let scheme: String
    /// In lower case; an IPv6 address stands in brackets.
    let host: String
    let port: Int

    /// Reads what browsers send in `Origin` and what `cors.origins` holds: `https://hub.example`, `http://[::1]:8420`.
    ///
    /// Nil for everything else: `null`, other schemes, a user name, a path. A dot at the end stays: to a browser
    /// `hub.example.` is another host than `hub.example`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let scheme = parts[0].lowercased()
        guard let port = Self.defaultPorts[scheme] else { return nil }
        guard let authority = HostAndPort(parts[1]) else { return nil }
        self.scheme = scheme
        host = authority.host
        self.port = authority.port ?? port
    }

    /// The origin of a URL, whatever stands behind its host.
    init?(ofURL url: some StringProtocol) {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let rest = url[scheme.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        self.init(url[..<end])
    }

    /// Whether a `Host` header names this host and port. It holds no scheme, so a missing port is this origin's own.
    func isNamed(byHost header: some StringProtocol) -> Bool {
        guard let named = HostAndPort(header) else { return false }
        return named.host == host && (named.port ?? Self.defaultPorts[scheme]) == port
    }

    private static let defaultPorts = ["http": 80, "https": 443]
}

/// `host[:port]`, as it stands in a `Host` header and in a URL.
struct HostAndPort: Sendable, Hashable {
    /// In lower case; an IPv6 address stands in brackets.
    let host: String
    /// Nil if it is not said.
    let port: Int?

    init?(_ text: some StringProtocol) {
        var rest = text[...]
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
        } else {
            rest = rest.drop { $0 != ":" }
        }
        let host = text[..<rest.startIndex].lowercased()
        guard !host.isEmpty, host != "[]", host.utf8.allSatisfy(Self.isOfHost) else { return nil }
        self.host = host
        guard let colon = rest.first else {
            port = nil
            return
        }
        let digits = rest.dropFirst()
        guard colon == ":", digits.utf8.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(digits), (1...65535).contains(number)
        else { return nil }
        port = number
    }

    /// Letters, digits and what names and addresses hold beside them.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (0x30...0x39).contains(byte)
            || "-._:[]%".utf8.contains(byte)
    }
}
