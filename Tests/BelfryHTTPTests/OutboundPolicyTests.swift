import BelfryCore
import Logging
import Testing

@testable import BelfryHTTP

/// Where a client may connect to, and what it may be made to send.
@Suite(.timeLimit(.minutes(3)))
struct OutboundPolicyTests {
    @Test(
        "addresses that are not the public Internet are refused",
        arguments: [
            "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1",
            "0x7f000001",
            "2130706433", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1",
            "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
            "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fdff::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::", "2002:c0a8:101::1", "2001:db8::1", "2001::1", "100::1", "[::1]",
        ])
    func privateAddresses(literal: String) throws {
        #expect(try #require(IPAddress(literal: literal)).isPublic == false)
    }

    @Test(
        "public addresses are not",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::",
        ])
    func publicAddresses(literal: String) throws {
        #expect(try #require(IPAddress(literal: literal)).isPublic)
    }

    @Test(
        "the address of the socket is checked, and the message names it",
        arguments: [
            "127.0.0.1", "localhost", "127.1", "0x7f.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433",
        ])
    func refused(host: String) async {
        let server = ScriptedServer { $0.readRequest() }
        var policy = OutboundPolicy.publicOnly
        policy.proxies = .none
        let client = HTTPClient(policy: policy, logger: Logger(label: "test"))
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await client.send(HTTPRequest(url: "http://\(host):\(server.port)/"))
        }
        #expect(failure?.code == .addressNotAllowed)
        #expect(failure?.message.contains("127.0.0.1") == true || failure?.message.contains("::1") == true)
        #expect(server.record.connections == 0)
    }

    @Test(
        "behind a proxy private literals and local names are refused unasked, other names unless the proxy is trusted")
    func behindProxy() async throws {
        let proxy = ScriptedServer { connection in
            while connection.readRequest() != nil { connection.answer(body: "via proxy") }
        }
        var policy = OutboundPolicy.publicOnly
        policy.proxies = .fixed(proxy.url)
        let strict = HTTPClient(policy: policy, logger: Logger(label: "test"))
        for host in ["10.0.0.1", "169.254.169.254", "[::1]", "localhost", "db.localhost.", "intranet", "example.com"] {
            let failure = await #expect(throws: HTTPFailure.self) {
                _ = try await strict.send(HTTPRequest(url: "http://\(host)/"))
            }
            #expect(failure?.code == .addressNotAllowed)
        }
        #expect(proxy.record.connections == 0)
        policy.trustsProxyForNames = true
        let trusting = HTTPClient(policy: policy, logger: Logger(label: "test"))
        let response = try await trusting.send(HTTPRequest(url: "http://hub.example/x"))
        #expect(try await response.body.collect(upTo: 100) == Array("via proxy".utf8))
        #expect(proxy.record.requests.first?.hasPrefix("GET http://hub.example/x HTTP/1.1\r\n") == true)
    }

    @Test("a proxy that refuses the tunnel is what the message is about")
    func proxyRefuses() async {
        let proxy = ScriptedServer { connection in
            connection.readRequest()
            connection.answer("403 Forbidden")
        }
        var policy = OutboundPolicy.agents
        policy.proxies = .fixed(proxy.url)
        let client = HTTPClient(policy: policy, logger: Logger(label: "test"))
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await client.send(HTTPRequest(url: "https://hub.example/"))
        }
        #expect(failure?.code == .proxy)
        #expect(proxy.record.requests.first?.hasPrefix("CONNECT hub.example:443 ") == true)
    }

    @Test("proxy variables are read as curl reads them")
    func proxyVariables() throws {
        let table = ProxyTable { name in
            [
                "http_proxy": "http://a:1", "HTTP_PROXY": "http://evil:1", "HTTPS_PROXY": "http://b:2",
                "no_proxy": "localhost, .internal.example,10.0.0.0/8,192.0.2.7",
            ][name]
        }
        func proxy(_ url: String) throws -> String? { table.proxy(for: try HTTPTarget(parsing: url)) }
        #expect(try proxy("http://x.example/") == "http://a:1")
        #expect(try proxy("https://x.example/") == "http://b:2")
        #expect(try proxy("http://LOCALHOST:99/") == nil)
        #expect(try proxy("http://internal.example/") == nil)
        #expect(try proxy("http://a.internal.example/") == nil)
        #expect(try proxy("http://notinternal.example/") == "http://a:1")
        #expect(try proxy("http://10.1.2.3/") == nil)
        #expect(try proxy("http://11.1.2.3/") == "http://a:1")
        #expect(try proxy("http://192.0.2.7/") == nil)
        let upper = ProxyTable { $0 == "HTTP_PROXY" ? "http://evil:1" : nil }
        #expect(upper.proxy(for: try HTTPTarget(parsing: "http://x.example/")) == nil)
        let all = ProxyTable { ["ALL_PROXY": "socks5h://s:1", "NO_PROXY": "*"][$0] }
        #expect(all.proxy(for: try HTTPTarget(parsing: "http://x.example/")) == nil)
    }

    @Test(
        "URLs that could smuggle, mislead or leak are refused",
        arguments: [
            "", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://", "http://a b/",
            "http://h/\r\nX: y",
            "http://h/\n", "http://user:pw@h/", "http://user@h/", "http://h:99999/", "http://h/ä", "gopher://h/",
            "http://h\u{0}/",
        ])
    func badURL(url: String) async {
        let failure = #expect(throws: HTTPFailure.self) { _ = try HTTPTarget(parsing: url) }
        #expect(failure?.code == .invalidRequest)
        #expect(failure?.description.contains("pw") == false)
    }

    @Test(
        "headers and methods that would become protocol are refused",
        arguments: [
            ("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\u{0}"), ("X\r\nY", "a"), ("X Y", "a"), ("", "a"), ("X:", "a"),
            ("Xä", "a"),
            ("Content-Length", "1"), ("transfer-encoding", "chunked"),
        ])
    func badHeader(name: String, value: String) {
        let failure = #expect(throws: HTTPFailure.self) {
            try HTTPRequest(url: "http://h/", headers: [(name, value)]).checkForm()
        }
        #expect(failure?.code == .invalidRequest)
        #expect(throws: HTTPFailure.self) { try HTTPRequest("GET / HTTP/1.1\r\nX:", url: "http://h/").checkForm() }
    }

    @Test("Retry-After is read as seconds or as a date")
    func retryAfter() {
        let now = Timestamp(seconds: 784_111_777)  // Sun, 06 Nov 1994 08:49:37 GMT
        #expect(RetryAfter.duration("120", now: now) == .seconds(120))
        #expect(RetryAfter.duration(" 0", now: now) == .zero)
        #expect(RetryAfter.duration("Sun, 06 Nov 1994 08:50:07 GMT", now: now) == .seconds(30))
        #expect(RetryAfter.duration("Sun, 06 Nov 1994 08:00:00 GMT", now: now) == .zero)
        #expect(RetryAfter.duration("99999999999999999999", now: now) == .seconds(999_999_999))
        for text in ["", "-1", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "0x10"] {
            #expect(RetryAfter.duration(text, now: now) == nil)
        }
    }
}
