import BelfryCore
import Testing

@testable import belfry

/// `belfry doctor --url` through real proxies, good and bad ones.
@Suite(.timeLimit(.minutes(2))) struct DoctorTests {
    private func doctor(_ proxy: ReverseProxy, _ hub: HubProcess, idle: Int = 1) async throws -> [Finding] {
        let result = try await hub.belfry("doctor", "--url", proxy.url, "--idle", "\(idle)", "-o", "json")
        return (result.json["items"]?.array ?? []).compactMap { item in
            guard let grade = item["grade"]?.string.flatMap({ Finding.Grade(rawValue: $0) }) else { return nil }
            return Finding(grade, item.cell("name"), item.cell("detail"), mend: item["mend"]?.string)
        }
    }

    private func named(_ name: String, _ findings: [Finding]) throws -> Finding {
        try #require(findings.first { $0.name == name }, "\(findings.map(\.line))")
    }

    @Test("nothing is wrong with what is shipped", arguments: ReverseProxy.Kind.shipped)
    func good(kind: ReverseProxy.Kind) async throws {
        try await withHub { hub in
            try await ReverseProxy.with(kind, hub) { proxy in
                let findings = try await doctor(proxy, hub)
                for name in ["hub", "headers", "stream", "quiet stream", "WebSocket"] {
                    #expect(try named(name, findings).grade == .ok)
                }
            }
        }
    }

    @Test("as it comes nginx passes streams on, but no upgrade, another Host, and not who asked")
    func plain() async throws {
        try await withHub { hub in
            try await ReverseProxy.with(.plainNginx, hub) { proxy in
                let findings = try await doctor(proxy, hub)
                #expect(try named("stream", findings).grade == .ok)
                let socket = try named("WebSocket", findings)
                #expect(socket.grade == .fail && socket.mend?.contains("proxy_set_header Upgrade") == true)
                let host = try named("host", findings)
                #expect(host.grade == .fail && host.mend?.contains("proxy_set_header Host $http_host;") == true)
                #expect(try named("peer", findings).mend?.contains("X-Forwarded-For") == true)
            }
        }
    }

    /// What stands in place of lines of the shipped nginx's configuration, what is found, and a part of the mend.
    private static let faults: [(changes: [(String, String)], name: String, mend: String)] = [
        (
            // In HTTP/1.1 nginx passes on each chunk even so.
            [
                ("proxy_http_version 1.1;", "proxy_http_version 1.0;"),
                ("proxy_buffering off;\n", "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;\n"),
            ], "stream", "proxy_buffering off;"
        ),
        ([("proxy_buffering off;\n", "proxy_set_header Last-Event-ID '';\n")], "resume", "Last-Event-ID"),
        ([("proxy_buffering off;\n", "proxy_set_header Authorization '';\n")], "token", "Authorization"),
    ]

    @Test("what a proxy does wrong is found, with the directive that mends it", arguments: faults.indices)
    func bad(index: Int) async throws {
        let fault = Self.faults[index]
        try await withHub { hub in
            try await ReverseProxy.with(.nginx, hub, changes: fault.changes) { proxy in
                let findings = try await doctor(proxy, hub, idle: 0)
                let found = try #require(
                    findings.first {
                        $0.name == fault.name && $0.grade == .fail && $0.mend?.contains(fault.mend) == true
                    },
                    "\(findings.map(\.line))")
                #expect(found.mend?.contains("ops/nginx/belfry.conf") == true)
            }
        }
    }

    @Test("a proxy that cuts quiet connections is found", arguments: [ReverseProxy.Kind.nginx, .haproxy])
    func cuts(kind: ReverseProxy.Kind) async throws {
        try await withHub { hub in
            let changes =
                kind == .nginx
                ? [("proxy_read_timeout 60s;", "proxy_read_timeout 2s;")]
                : [("timeout server 60s", "timeout server 2s"), ("timeout tunnel 60s", "timeout tunnel 2s")]
            try await ReverseProxy.with(kind, hub, changes: changes) { proxy in
                let findings = try await doctor(proxy, hub, idle: 6)
                for name in ["quiet stream", "WebSocket"] {
                    let found = try named(name, findings)
                    #expect(found.grade == .fail && found.detail.hasPrefix("cut after "), "\(found.line)")
                    #expect(
                        found.mend?.contains(kind == .nginx ? "proxy_read_timeout 60s" : "timeout server 60s") == true)
                }
            }
        }
    }

    @Test("the server is known by what its answers say, and where they say nothing all are named")
    func server() {
        #expect(ProxyFault.Server([(name: "Server", value: "nginx/1.22.1")]) == .nginx)
        #expect(ProxyFault.Server([(name: "via", value: "1.1 Caddy")]) == .caddy)
        #expect(ProxyFault.Server([(name: "x-a", value: "nginx")]) == nil)
        for fault in ProxyFault.allCases {
            for server in ProxyFault.Server.allCases {
                #expect(fault.mend(nil).contains(server.name + ": "))
                #expect(fault.mend(server).hasSuffix("(\(server.example))"))
            }
        }
    }

    @Test("keep-alives that do not come are missed only after they were due")
    func keepAlives() {
        var seen = StreamSighting(status: 200, first: .milliseconds(3))
        #expect(seen.findings(nil, idle: .seconds(17)).allSatisfy { $0.grade == .ok })
        #expect(seen.findings(nil, idle: .seconds(20)).last?.grade == .fail)
        seen.hasKeepAlive = true
        #expect(seen.findings(nil, idle: .seconds(20)).allSatisfy { $0.grade == .ok })
        seen.hasPublished = true
        for sighting in [seen, StreamSighting()] {
            #expect(sighting.findings(.nginx, idle: .seconds(20)).map { $0.detail.prefix(8) } == ["buffered"])
        }
    }
}
