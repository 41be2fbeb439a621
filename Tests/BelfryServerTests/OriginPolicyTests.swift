import NIOCore
import NIOHTTP1
import Testing

@testable import BelfryServer

struct OriginPolicyTests {
    private func verdict(
        _ origins: [String], host: String? = "hub.example:8420", publicURL: String? = nil, others: [String] = []
    ) -> OriginPolicy.Verdict {
        var headers = HTTPHeaders(origins.map { ("Origin", $0) })
        if let host { headers.add(name: "Host", value: host) }
        return OriginPolicy(publicURL: publicURL, others: others.compactMap { WebOrigin($0) }).verdict(on: headers)
    }

    @Test("the page of the host that was asked is allowed, whatever the scheme before a proxy is")
    func sameHost() {
        #expect(verdict(["http://hub.example:8420"]) == .allowed)
        #expect(verdict(["https://hub.example:8420"]) == .allowed)
        #expect(verdict(["HTTP://Hub.Example:8420"], host: "HUB.example:8420") == .allowed)
        #expect(verdict(["http://127.0.0.1:8420"], host: "127.0.0.1:8420") == .allowed)
        #expect(verdict(["http://[::1]:8420"], host: "[::1]:8420") == .allowed)
        #expect(verdict(["http://[FE80::1%25eth0]:8420"], host: "[fe80::1%25eth0]:8420") == .allowed)
    }

    @Test("a port that is not said is the scheme's own")
    func defaultPorts() {
        #expect(verdict(["https://hub.example"], host: "hub.example") == .allowed)
        #expect(verdict(["https://hub.example"], host: "hub.example:443") == .allowed)
        #expect(verdict(["http://hub.example:80"], host: "hub.example") == .allowed)
        #expect(verdict(["http://[::1]"], host: "[::1]:80") == .allowed)
        #expect(verdict(["http://hub.example"], host: "hub.example:443") == .refused)
        #expect(verdict(["https://hub.example:8443"], host: "hub.example") == .refused)
    }

    @Test("no Origin is no verdict: whoever is known by a cookie needs one, a program with a token does not")
    func absent() { #expect(verdict([]) == .absent) }

    @Test(
        "every other page is refused",
        arguments: [
            "null", "", "http://evil.example:8420", "http://hub.example:8421", "http://hub.example",
            "http://hub.example.:8420", "http://hub.example.evil.example:8420", "http://evil.example/hub.example:8420",
            "http://hub.example:8420/", "http://hub.example:8420/path", "http://hub.example:8420#x",
            "http://user@hub.example:8420", "http://hub.example:8420@evil.example", "hub.example:8420",
            "ftp://hub.example:8420", "file://", "http://", "http://:8420", "http://hub.example:",
            "http://hub.example:x",
            "http://hub.example:084200", "http://hub.example:0", "http://hub.example:+8420", "http://[::1:8420",
            "http://[]:8420", "http://hub.example:8420 http://hub.example:8420", "http://hub.example:8420, null",
            "http://hub.exämple:8420", "chrome-extension://abcdef",
        ])
    func others(origin: String) { #expect(verdict([origin]) == .refused) }

    @Test("several Origin headers, or no clear Host, are refused")
    func unclear() {
        #expect(verdict(["http://hub.example:8420", "http://hub.example:8420"]) == .refused)
        #expect(verdict(["http://hub.example:8420"], host: nil) == .refused)
        #expect(verdict(["http://hub.example."], host: "hub.example") == .refused)
        #expect(verdict(["http://hub.example."], host: "hub.example.") == .allowed)
        let twice = HTTPHeaders([("Origin", "http://a"), ("Host", "a"), ("Host", "b")])
        #expect(OriginPolicy().verdict(on: twice) == .refused)
    }

    @Test("public_url and cors.origins are allowed beside it, exactly")
    func configured() {
        let url = "https://hub.example/belfry/"
        #expect(verdict(["https://hub.example"], host: "127.0.0.1:8420", publicURL: url) == .allowed)
        #expect(verdict(["http://hub.example"], host: "127.0.0.1:8420", publicURL: url) == .refused)
        let others = ["https://ops.example", "http://localhost:5173"]
        #expect(verdict(["https://ops.example:443"], others: others) == .allowed)
        #expect(verdict(["http://localhost:5173"], others: others) == .allowed)
        #expect(verdict(["http://ops.example"], others: others) == .refused)
        #expect(verdict(["http://localhost:5174"], others: others) == .refused)
    }

    @Test("what a page asks for does not count as this machine's, nor what a proxy passes on")
    func notLoopback() throws {
        let local = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        #expect(Peer(local, headers: [:]).isLoopback)
        for name in ["origin", "forwarded", "x-forwarded-for", "x-real-ip", "via"] {
            #expect(!Peer(local, headers: .init([(name, "x")])).isLoopback, "\(name)")
        }
        #expect(!Peer(try SocketAddress(ipAddress: "10.0.0.1", port: 1), headers: [:]).isLoopback)
    }
}
