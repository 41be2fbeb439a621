import CCurl

/// Where a URL leads, as libcurl itself reads it: one parser for the check and for the connection.
struct HTTPTarget: Sendable, Hashable, CustomStringConvertible {
    var scheme: String
    /// Lower case; an IPv6 literal in brackets.
    var host: String
    var port: String

    init(scheme: String, host: String, port: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// - Throws: `.invalidRequest` for what is not an absolute `http` or `https` URL in plain ASCII, and for one that
    ///   holds a user name or password: those would end in logs.
    init(parsing url: String) throws(HTTPFailure) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw HTTPFailure(
                .invalidRequest, "the URL holds a space, a control character or a non-ASCII one: encode it")
        }
        let handle = curl_url()
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle), scheme == "http" || scheme == "https",
            let host = Self.part(CURLUPART_HOST, of: handle), !host.isEmpty,
            let port = Self.part(CURLUPART_PORT, of: handle, flags: UInt32(CURLU_DEFAULT_PORT))
        else {
            throw HTTPFailure(.invalidRequest, "not a URL Belfry can call: http://HOST[:PORT]/… or https://…")
        }
        guard Self.part(CURLUPART_USER, of: handle) == nil, Self.part(CURLUPART_PASSWORD, of: handle) == nil else {
            throw HTTPFailure(
                .invalidRequest, "the URL for \(host) holds a user name or password: use a header instead")
        }
        self.init(scheme: scheme, host: host.lowercased(), port: port)
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer?, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// What an error message calls the target: never the path or query, which may hold a key.
    var description: String { "\(host):\(port)" }

    /// Refuses what can be told from the URL alone to be no public target. Only this stands between a proxied request
    /// and a private network: the socket's address is then the proxy's.
    func checkBehindProxy(_ policy: OutboundPolicy) throws(HTTPFailure) {
        guard !policy.allowsPrivateAddresses else { return }
        if let address = IPAddress(literal: host) {
            guard !address.isPublic else { return }
            throw .addressNotAllowed(address.description, target: self)
        }
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        guard name != "localhost", !name.hasSuffix(".localhost"), name.contains(".") else {
            throw .addressNotAllowed(host, target: self)
        }
        guard policy.trustsProxyForNames else {
            throw HTTPFailure(
                .addressNotAllowed,
                "what address \(host) has cannot be checked behind a proxy: except it from the proxy (no_proxy)"
                    + " or trust the proxy to refuse private addresses"
            )
        }
    }
}
