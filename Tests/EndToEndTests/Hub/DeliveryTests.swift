import BelfryCore
import BelfrySources
import Testing

/// Deliveries to the real binary: what a sender is told, and what is true afterwards.
@Suite(.timeLimit(.minutes(3))) struct DeliveryTests {
    @Test("the same delivery three times, the hub killed in between: one event, one run, two duplicates")
    func duplicates() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let first = try await hub.deliver(7, id: "11111111-0000-4000-8000-000000000001")
            #expect(first.status == 202)
            #expect(first.json["status"]?.string == "matched")
            try await hub.kill9()
            try await hub.restart()
            for _ in 0..<2 {
                let again = try await hub.deliver(7, id: "11111111-0000-4000-8000-000000000001")
                #expect(again.status == 200)
                #expect(again.json["status"]?.string == "duplicate")
                #expect(again.json["event"] == first.json["event"])
                #expect(again.json["runs"] == first.json["runs"])
                #expect(again.json["first_seen"]?.string != nil)
            }
            let runs = try await hub.allRunsEnded()
            #expect(runs.count == 1)
            #expect(runs.first?["state"]?.string == "succeeded")
            let events = try await hub.client.request("GET", "/v1/events").json["items"]?.array
            #expect(events?.count == 1)
        }
    }

    @Test("a delivery that is not what it should be is refused with its reason, and leaves a trace")
    func refusals() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let (headers, body) = Documents.issue(1, delivery: "a")
            func post(
                _ path: String = "/hooks/github", dropping dropped: String? = nil, adding: [(String, String)] = [],
                body: [UInt8]
            ) async throws -> RawClient.Response {
                let kept = headers.filter { $0.0.lowercased() != dropped?.lowercased() }
                return try await RawClient(port: hub.port, token: nil).request(
                    "POST", path, headers: kept + adding, body: body)
            }
            func check(_ response: RawClient.Response, _ status: Int, _ code: String) {
                #expect(response.status == status)
                #expect(response.header("content-type") == "application/problem+json")
                #expect(response.json["code"]?.string == code)
                #expect(response.json["status"]?.number?.int64 == Int64(status))
                #expect(!response.text.contains(Documents.secret))
            }
            var changed = body
            changed[changed.count - 3] ^= 1
            check(try await post(body: changed), 401, "signature_invalid")
            check(try await post(dropping: "X-Hub-Signature-256", body: body), 401, "signature_missing")
            check(try await post("/hooks/absent", body: body), 404, "unknown_source")
            check(try await post(body: [UInt8](repeating: 0x20, count: 11 * 1024 * 1024)), 413, "payload_too_large")

            /// Signed as it is, so that the body alone is what is wrong.
            func signed(_ text: [UInt8], type: String = "application/json") async throws -> RawClient.Response {
                let source = SourceDefinition(name: "github", preset: .github)
                let headers = DeliverySigner.headers(
                    for: source, secret: Secret(Documents.secret), body: text, id: "b", now: WallClock.system.now()
                )
                return try await RawClient(port: hub.port, token: nil).request(
                    "POST", "/hooks/github", headers: headers.map { ($0.name, $0.value) } + [("Content-Type", type)],
                    body: text
                )
            }
            let deep =
                [UInt8](repeating: UInt8(ascii: "["), count: 10_000)
                + [UInt8](repeating: UInt8(ascii: "]"), count: 10_000)
            check(try await signed(deep), 400, "invalid_json")
            check(try await signed(Array(#"{"a":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)), 400, "invalid_json")
            check(try await signed(Array("{\"a\":\"\u{0}\"}".utf8)), 400, "invalid_json")
            check(try await signed(Array("{}".utf8), type: "text/html"), 415, "unsupported_media_type")

            // A refusal is answered before it is counted.
            let expected = [
                "signature_invalid", "signature_missing", "unknown_source", "payload_too_large", "invalid_json",
            ]
            _ = try await eventually("a trace of each refusal") {
                let entries = try await hub.client.request("GET", "/v1/audit?limit=100").json["items"]?.array ?? []
                let refused = entries.filter { $0["action"]?.string == "delivery.refused" }.map(\.text).joined()
                return expected.allSatisfy(refused.contains) ? true : nil
            }
            let events = try await hub.client.request("GET", "/v1/events").json["items"]?.array
            #expect(events?.isEmpty == true)
        }
    }

    @Test("odd but valid JSON is taken: duplicate keys, numbers beyond double precision")
    func oddButValid() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            agent: parrot
            kind: echo
            ---
            rule: big
            when: { data: { a: [ 2 ] } }
            run: { steps: [ { step: say, agent: parrot, prompt: "a is {{data.a}}, b is {{data.b}}" } ] }
            """
        try await withHub(documents: documents, environment: [:]) { hub in
            let client = RawClient(port: hub.port, token: nil)
            let response = try await client.request(
                "POST", "/hooks/lab", headers: [("Content-Type", "application/json")],
                body: Array(#"{"a":1,"a":2,"b":1e400}"#.utf8)
            )
            #expect(response.status == 202)
            #expect(response.json["status"]?.string == "matched")
            let run = try #require(response.json["runs"]?.array?.first?.string)
            _ = try await hub.allRunsEnded()
            let shown = try await hub.client.request("GET", "/v1/runs/\(run)").json
            #expect(shown["steps"]?.array?.first?["output"]?.string == "a is 2, b is 1e400")
        }
    }

    @Test("a body already seen under another, unsigned key is marked")
    func sameBody() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let first = try await hub.deliver(7, id: "one").json["event"]?.string ?? ""
            let second = try await hub.deliver(7, id: "two").json["event"]?.string ?? ""
            #expect(first != second)
            let event = try await hub.client.request("GET", "/v1/events/\(second)").json
            #expect(event.text.contains(first))
        }
    }

    @Test("a request that asks for an upgrade nobody wants is answered as any other")
    func upgradeH2C() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let (headers, body) = Documents.issue(1, delivery: "h2c")
            let upgrade = [
                ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
                ("Connection", "Upgrade, HTTP2-Settings"),
            ]
            let response = try await RawClient(port: hub.port, token: nil)
                .request("POST", "/hooks/github", headers: upgrade + headers, body: body)
            #expect(response.status == 202)
        }
    }

    @Test("a paused source stores and starts nothing; a delivery that comes again after that starts its run")
    func paused() async throws {
        try await withHub(documents: Documents.github()) { hub in
            #expect(try await hub.belfry("sources", "pause", "github").code == 0)
            let paused = try await hub.deliver(7, id: "p")
            #expect(paused.status == 202)
            #expect(paused.json["status"]?.string == "paused")
            #expect(try await hub.belfry("sources", "resume", "github").code == 0)
            let again = try await hub.deliver(7, id: "p")
            #expect(again.status == 202)
            #expect(again.json["event"] == paused.json["event"])
            #expect(again.json["runs"]?.array?.count == 1)
        }
    }
}
