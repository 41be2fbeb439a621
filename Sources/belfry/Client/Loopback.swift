/// What belongs to this machine alone.
enum Loopback {
    /// Whether `url` names this machine: only then may a token that was found in a file be sent there.
    static func isLoopback(url: String) -> Bool {
        let parts = url.split(separator: "://", maxSplits: 1)
        guard parts.count == 2 else { return false }
        let authority = parts[1].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { return false }
        if authority == "[::1]" || authority.hasPrefix("[::1]:") { return true }
        let host = authority.prefix { $0 != ":" }
        return host == "localhost" || isLoopbackIPv4(host)
    }

    private static func isLoopbackIPv4(_ host: some StringProtocol) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
