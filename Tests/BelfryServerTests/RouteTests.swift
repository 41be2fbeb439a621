import BelfryCore
import BelfryEngine
import Testing

@testable import BelfryServer

/// The REST surface on a real hub, over real sockets.
@Suite("routes", .timeLimit(.minutes(3)))
struct RouteTests {
    @Test("every refusal is a problem document with a stable code")
    func problems() async throws {
        try await HubRig.run { rig in
            let cases: [(String, String, String?, Int, String)] = [
                ("GET", "/nowhere", nil, 404, "not_found"),
                ("GET", "/hooks/plant", nil, 405, "method_not_allowed"),
                ("POST", "/hooks/unheard-of", nil, 404, "unknown_source"),
                ("GET", "/v1/runs", nil, 401, "unauthorized"),
                ("GET", "/v1/runs", "nonsense", 401, "unauthorized"),
                ("GET", "/v1/tokens", rig.viewer, 403, "forbidden"),
                ("POST", "/v1/pause", rig.viewer, 403, "forbidden"),
                ("GET", "/v1/runs/run_01h455vb4pex5vsknk084sn02q", rig.viewer, 404, "not_found"),
                ("GET", "/v1/runs/nonsense", rig.viewer, 404, "not_found"),
                ("GET", "/v1/runs?state=odd", rig.viewer, 400, "malformed"),
                ("GET", "/v1/runs?limit=0", rig.viewer, 400, "malformed"),
                ("GET", "/v1/rules/nope", rig.viewer, 404, "not_found"),
                ("DELETE", "/v1/runs", rig.admin, 405, "method_not_allowed"),
                ("POST", "/v1/documents", rig.admin, 400, "invalid_json"),
            ]
            for (method, path, token, status, code) in cases {
                let answer = try await rig.send(method, path, token: token)
                #expect(answer.status == status, "\(method) \(path)")
                #expect(answer.json["code"]?.string == code, "\(method) \(path)")
                #expect(answer.json["status"]?.number?.int64 == Int64(status))
                #expect(answer.head.contains("content-type: application/problem+json"))
                #expect(answer.json["request_id"]?.string != nil)
            }
            let unauthorized = try await rig.send("GET", "/v1/runs")
            #expect(unauthorized.head.contains("www-authenticate: Bearer realm=\"belfry\""))
            let forbidden = try await rig.send("GET", "/v1/tokens", token: rig.viewer)
            #expect(forbidden.json["needed"]?.string == "admin")
            let method = try await rig.send("GET", "/hooks/plant")
            #expect(method.head.contains("allow: POST, OPTIONS"))
        }
    }

    @Test("a delivery is stored, its run seen, its why told; a list pages")
    func mainPath() async throws {
        try await HubRig.run { rig in
            let accepted = try await rig.send("POST", "/hooks/plant", body: #"{"speak":true,"n":7}"#)
            #expect(accepted.status == 202)
            #expect(accepted.json["status"]?.string == "matched")
            let event = try #require(accepted.json["event"]?.string)
            let run = try #require(accepted.json["runs"]?.array?.first?.string)
            try await rig.waitForEnd(of: run)

            let shown = try await rig.send("GET", "/v1/runs/\(run)", token: rig.viewer)
            #expect(shown.json["state"]?.string == "succeeded")
            #expect(shown.json["steps"]?.array?.first?["output"]?.string == "reading 7 has come in and is fine")
            let stored = try await rig.send("GET", "/v1/events/\(event)", token: rig.viewer)
            #expect(stored.json["data"]?["n"]?.number?.int64 == 7)
            #expect(stored.json["status"]?.string == "matched")
            let why = try await rig.send("GET", "/v1/events/\(event)/why", token: rig.viewer)
            #expect(why.json["matches"]?.array?.first?["outcome"]?.string == "started")
            #expect(why.json["total"]?.number?.int64 == 1 && why.json["left_out"]?.number?.int64 == 0)
            let one = try await rig.send("GET", "/v1/events/\(event)/why?rule=talk", token: rig.viewer)
            #expect(one.json["rules"]?.array?.first?["kind"]?.string == "triggers" && one.json["then"] == nil)
            #expect(try await rig.send("GET", "/v1/events/\(event)/why?rule=walk", token: rig.viewer).status == 404)
            let few = try await rig.send("GET", "/v1/events/\(event)/why?rules=0", token: rig.viewer)
            #expect(few.json["rules"]?.array?.isEmpty == true && few.json["left_out"]?.number?.int64 == 1)
            #expect(try await rig.send("GET", "/v1/events/\(event)/why?rules=1001", token: rig.viewer).status == 400)

            let other = try await rig.send("POST", "/hooks/plant", body: #"{"n":8}"#)
            #expect(other.json["status"]?.string == "filtered")
            let first = try await rig.send("GET", "/v1/events?limit=1", token: rig.viewer)
            #expect(first.json["items"]?.array?.first?["id"]?.string == other.json["event"]?.string)
            let cursor = try #require(first.json["next"]?.string)
            let second = try await rig.send("GET", "/v1/events?limit=1&cursor=\(cursor)", token: rig.viewer)
            #expect(second.json["items"]?.array?.first?["id"]?.string == event)
            let stop = try await rig.send("POST", "/v1/runs/\(run)/stop", token: rig.admin)
            #expect(stop.json["result"]?.string == "rejected")
        }
    }

    @Test("a source's own body limit holds at the head, and the API's for the API")
    func bodyLimits() async throws {
        try await HubRig.run { rig in
            let body = String(repeating: " ", count: 100_001)
            let delivery = try await rig.send("POST", "/hooks/repo", body: body)
            #expect(delivery.status == 413)
            #expect(delivery.json["code"]?.string == "payload_too_large")
            let api = try await rig.send(
                "POST", "/v1/rules/test", token: rig.viewer, body: String(repeating: " ", count: 1024 * 1024 + 1)
            )
            #expect(api.status == 413)
            let frame = try await rig.send(
                "POST", "/v1/topics/custom/c", token: rig.admin, body: String(repeating: " ", count: 64 * 1024 + 1)
            )
            #expect(frame.status == 413)
        }
    }

    @Test("rules are put, shown with their version, switched, tested and deleted")
    func rules() async throws {
        try await HubRig.run { rig in
            let text = """
                rule: second
                when: { source: [plant] }
                run: { steps: [ { step: a, agent: talker, prompt: x } ] }

                """
            let created = try await rig.send("PUT", "/v1/rules/second", token: rig.admin, body: text)
            #expect(created.status == 201)
            #expect(created.head.contains("etag: \"1\""))
            let changed = try await rig.send(
                "PUT", "/v1/rules/second", token: rig.admin, headers: "If-Match: \"1\"\r\n",
                body: text + "about: more\n"
            )
            #expect(changed.status == 200)
            let stale = try await rig.send(
                "PUT", "/v1/rules/second", token: rig.admin, headers: "If-Match: \"1\"\r\n", body: text
            )
            #expect(stale.status == 412)
            let wrong = try await rig.send("PUT", "/v1/rules/second", token: rig.admin, body: "rule: second\nwhen: 5\n")
            #expect(wrong.status == 422)
            #expect(wrong.json["diagnostics"]?.array?.isEmpty == false)
            let off = try await rig.send("POST", "/v1/rules/second/disable", token: rig.admin)
            #expect(off.json["enabled"]?.bool == false)
            let test = try await rig.send(
                "POST", "/v1/rules/test", token: rig.viewer,
                body: #"{"rule":"talk","event":{"source":"plant","data":{"speak":false}}}"#
            )
            #expect(test.json["matched"]?.bool == false)
            #expect(test.json["rules"]?.array?.first?["version"]?.number?.int64 == 1)
            let two = "\(text)---\n\(text.replacing("second", with: "third").replacing("plant", with: "mill"))"
            let body = JSONValue(dictionaryLiteral: ("rule", .string(two)), ("event", ["source": "mill"]))
            let both = try await rig.send("POST", "/v1/rules/test", token: rig.viewer, body: body.text)
            #expect(both.json["matched"]?.bool == true)
            #expect(both.json["rules"]?.array?.map { $0["matched"]?.bool } == [false, true])
            #expect(both.json["rules"]?.array?.last?["kind"]?.string == "triggers")
            var one = body.object ?? [:]
            one["name"] = "second"
            let named = try await rig.send(
                "POST", "/v1/rules/test", token: rig.viewer, body: JSONValue.object(one).text)
            #expect(named.json["matched"]?.bool == false && named.json["rules"]?.array?.count == 1)
            one["name"] = "fourth"
            let none = try await rig.send("POST", "/v1/rules/test", token: rig.viewer, body: JSONValue.object(one).text)
            #expect(none.status == 422)
            let list = try await rig.send("GET", "/v1/rules", token: rig.viewer)
            #expect(list.json["items"]?.array?.count == 2)
            #expect(try await rig.send("DELETE", "/v1/rules/second", token: rig.admin).status == 204)
            #expect(try await rig.send("GET", "/v1/rules/second", token: rig.viewer).status == 404)
        }
    }

    @Test("documents are applied as a set, or not at all")
    func documents() async throws {
        try await HubRig.run { rig in
            let set = #"{"files":[{"path":"a.yaml","text":"source: extra\npreset: none\n"}]}"#
            let dry = try await rig.send(
                "POST", "/v1/documents", token: rig.admin, body: String(set.dropLast()) + #","dry_run":true}"#
            )
            #expect(dry.json["created"]?.array?.first?.string == "source/extra")
            #expect(try await rig.send("GET", "/v1/sources/extra", token: rig.viewer).status == 404)
            #expect(try await rig.send("POST", "/v1/documents", token: rig.admin, body: set).status == 200)
            let shown = try await rig.send("GET", "/v1/sources/extra", token: rig.viewer)
            #expect(shown.json["url"]?.string == "http://127.0.0.1:\(rig.port)/hooks/extra")
            #expect(shown.json["secrets"] == nil)
        }
    }

    @Test("an admin sees a source's secret and how to set the sender up, a viewer does not")
    func secrets() async throws {
        try await HubRig.run { rig in
            let admin = try await rig.send("GET", "/v1/sources/repo", token: rig.admin)
            let secret = try #require(admin.json["secrets"]?.array?.first?["value"]?.string)
            #expect(admin.json["set_up"]?.string?.contains("/hooks/repo") == true)
            let viewer = try await rig.send("GET", "/v1/sources/repo", token: rig.viewer)
            #expect(!viewer.body.contains(secret))
        }
    }

    @Test("a paused source stores and starts nothing")
    func paused() async throws {
        try await HubRig.run { rig in
            let paused = try await rig.send("POST", "/v1/sources/plant/pause", token: rig.admin)
            #expect(paused.json["paused"]?.bool == true)
            let delivery = try await rig.send("POST", "/hooks/plant", body: #"{"speak":true,"n":1}"#)
            #expect(delivery.status == 202)
            #expect(delivery.json["status"]?.string == "paused")
            #expect(try await rig.send("POST", "/v1/pause", token: rig.admin).json["paused"]?.bool == true)
            #expect(try await rig.send("POST", "/v1/resume", token: rig.admin).json["paused"]?.bool == false)
        }
    }

    @Test("tokens are made, work in their role, and stop working when they are revoked")
    func tokens() async throws {
        try await HubRig.run { rig in
            let wish = #"{"name":"ci","role":"publisher","scopes":["custom/build"],"expires":"30d"}"#
            let made = try await rig.send("POST", "/v1/tokens", token: rig.admin, body: wish)
            #expect(made.status == 201)
            let token = try #require(made.json["token"]?.string)
            let id = try #require(made.json["id"]?.string)
            #expect(try await rig.send("GET", "/v1/me", token: token).json["role"]?.string == "publisher")
            #expect(try await rig.send("GET", "/v1/runs", token: token).status == 403)
            let published = try await rig.send("POST", "/v1/topics/custom/build", token: token, body: #"{"ok":true}"#)
            #expect(published.status == 202)
            #expect(published.json["position"]?.number?.int64 == rig.hub.head)
            #expect(try await rig.send("DELETE", "/v1/tokens/\(id)", token: rig.admin).status == 204)
            #expect(try await rig.send("GET", "/v1/me", token: token).status == 401)
            let list = try await rig.send("GET", "/v1/tokens", token: rig.admin)
            #expect(!list.body.contains(token))
        }
    }

    @Test(
        "what can be no name is not found, and the answer says what a name is",
        arguments: ["A", "a%20b", "-a", "a%2Fb"])
    func names(name: String) async throws {
        try await HubRig.run { rig in
            let answer = try await rig.send("POST", "/v1/topics/custom/\(name)", token: rig.admin, body: "{}")
            #expect(answer.status == 404)
            #expect(answer.json["detail"]?.string?.contains("a name is 1 to 64 of a-z 0-9 - _ .") == true)
        }
    }

    @Test("the audit is listed both ways and verifies")
    func audit() async throws {
        try await HubRig.run { rig in
            _ = try await rig.send("POST", "/v1/sources/plant/pause", token: rig.admin)
            let newest = try await rig.send("GET", "/v1/audit?limit=1", token: rig.viewer)
            let last = try #require(newest.json["items"]?.array?.first?["seq"]?.number?.int64)
            let oldest = try await rig.send("GET", "/v1/audit?after=0", token: rig.viewer)
            #expect(oldest.json["items"]?.array?.first?["seq"]?.number?.int64 == 1)
            let verified = try await rig.send("GET", "/v1/audit/verify", token: rig.viewer)
            #expect(verified.json["ok"]?.bool == true)
            #expect(verified.json["entries"]?.number?.int64 == last)
        }
    }

    @Test("health, readiness and metrics are open on loopback, metrics not through a proxy")
    func status() async throws {
        try await HubRig.run { rig in
            #expect(try await rig.send("GET", "/healthz").status == 200)
            #expect(try await rig.send("GET", "/readyz").status == 200)
            let metrics = try await rig.send("GET", "/metrics")
            #expect(metrics.head.contains("content-type: text/plain; version=0.0.4"))
            #expect(metrics.body.contains("belfry_http_requests_total{route=\"/healthz\",status=\"200\"} 1\n"))
            #expect(metrics.body.contains("# TYPE belfry_streams_open gauge\nbelfry_streams_open 0\n"))
            let forwarded = "X-Forwarded-For: 10.0.0.1\r\n"
            let proxied = try await rig.send("GET", "/metrics", headers: forwarded)
            #expect(proxied.status == 401)
            let token = try await rig.send("GET", "/metrics", token: rig.viewer, headers: forwarded)
            #expect(token.status == 200)
        }
    }

    @Test("a port that is taken is said to be, with its number")
    func portTaken() async throws {
        try await HubRig.run { rig in
            await #expect {
                try await HubRig.run(configure: { $0.port = rig.port }) { _ in }
            } throws: { error in
                "\(error)".contains("cannot listen on 127.0.0.1:\(rig.port): something else listens there already")
            }
        }
    }
}
