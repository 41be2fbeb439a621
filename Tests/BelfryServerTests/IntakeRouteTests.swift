import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

@testable import BelfryServer

/// Dry runs, challenges and answers of sources, on a real hub, over real sockets.
@Suite(.timeLimit(.minutes(3)))
struct IntakeRouteTests {
    private static let documents = """
        source: asked
        preset: token
        secret: generate
        redact: [data.pin]
        identity: [header.x-id]
        respond: { status: 201, body: "<Response/>", content_type: text/xml }
        challenge: { parameter: hub.challenge }
        ---
        source: plant
        preset: none
        dedupe: { key: body, window: 10m }
        body_max: 4000
        ---
        source: gone
        preset: token
        secret: generate
        retired: true
        ---
        agent: talker
        kind: echo
        ---
        rule: talk
        when: { source: [plant, asked], data: { n: [ { numeric: [">", 5] } ] } }
        run: { steps: [ { step: say, agent: talker, prompt: "hi" } ] }
        ---
        rule: peek
        when: { data: { pin: [ "1234" ] } }
        run: { steps: [ { step: say, agent: talker, prompt: "hi" } ] }
        """

    private func withRig(_ body: (HubRig, _ operator: String) async throws -> Void) async throws {
        try await HubRig.run { rig in
            _ = try await rig.hub.applyDocuments([(path: "test.yaml", text: Self.documents)], by: .hub)
            let token = try await rig.hub.createToken(name: "op", role: .operator, by: .hub).secret.text
            try await body(rig, token)
        }
    }

    private func secret(of source: String, _ rig: HubRig) async throws -> String {
        let shown = try await rig.send("GET", "/v1/sources/\(source)", token: rig.admin).json
        return try #require(shown["secrets"]?.array?.first?["value"]?.string)
    }

    @Test("OPTIONS is no way to a dry run: nobody learns without a token whether a secret is right")
    func dryRunByOptions() async throws {
        try await withRig { rig, token in
            let secret = try await secret(of: "asked", rig)
            for (query, bearer) in [("?dry_run", secret), ("?dry_run", token), ("?dry_run=1", "wrong")] {
                let answer = try await rig.send("OPTIONS", "/hooks/asked\(query)", token: bearer, body: "{}")
                #expect(answer.status == 405, "\(answer.body)")
                #expect(!answer.body.contains("verification"), "\(answer.body)")
            }
            #expect(try await rig.send("GET", "/hooks/asked?dry_run", token: secret).status != 200)
        }
    }

    @Test("what is too large leaves a trace, but for the dry run of somebody who may")
    func refusalsOfDryRuns() async throws {
        try await withRig { rig, token in
            let large = #"{"n":"\#(String(repeating: "x", count: 5000))"}"#
            func refusals() async throws -> Int {
                // What comes after a refusal is not stored before it.
                _ = try await rig.send("POST", "/hooks/plant", body: "{}")
                let sources = try await rig.send("GET", "/v1/sources", token: rig.viewer).json["items"]?.array ?? []
                return Int(sources.first { $0["name"] == "plant" }?["refusals"]?.number?.int64 ?? -1)
            }
            for (query, bearer, counted) in [
                ("?dry_run", token, 0), ("?dry_run=false", token, 1), ("?dry_run", rig.viewer, 2),
                ("?dry_run=1", "no", 3),
            ] {
                let answer = try await rig.send("POST", "/hooks/plant\(query)", token: bearer, body: large)
                #expect(answer.status == 413)
                #expect(try await refusals() == counted, "\(query)")
            }
        }
    }

    @Test("a dry run tells the event and why each rule matches or not; nothing is stored or counted")
    func dryRun() async throws {
        try await withRig { rig, token in
            let answer = try await rig.send("POST", "/hooks/plant?dry_run", token: token, body: #"{"n": 6}"#)
            #expect(answer.status == 200)
            let json = answer.json
            #expect(json["source"] == "plant")
            #expect(json["verification"] == ["ok": true])
            #expect(json["paused"] == nil && json["error"] == nil && json["answered"] == nil)
            let item = try #require(json["events"]?.array?.first)
            #expect(item["event"]?["data"] == ["n": 6])
            #expect(item["event"]?["type"] == "webhook")
            #expect(item["duplicate_of"] == nil)
            let rules = item["rules"]?.array ?? []
            #expect(rules.map { $0["rule"] } == ["peek", "talk"])
            #expect(rules.map { $0["matched"] } == [false, true])
            #expect(rules.last?["explanation"]?["all"]?.array?.isEmpty == false)

            _ = try await rig.send("POST", "/hooks/nowhere?dry_run", token: token, body: "{}")
            let events = try await rig.send("GET", "/v1/events", token: rig.viewer).json["items"]?.array
            #expect(events == [])
            let audit = try await rig.send("GET", "/v1/audit", token: rig.viewer).body
            #expect(!audit.contains("delivery.refused"))

            let stored = try await rig.send("POST", "/hooks/plant", body: #"{"n": 6}"#)
            let again = try await rig.send("POST", "/hooks/plant?dry_run=true", token: token, body: #"{"n": 6}"#)
            #expect(again.json["events"]?.array?.first?["duplicate_of"] == stored.json["event"])
            // Only the word no is none.
            #expect(try await rig.send("POST", "/hooks/plant?dry_run=false", body: #"{"n": 1}"#).status == 202)
        }
    }

    @Test("a dry run needs an operator's token: no other, and no other source's secret")
    func dryRunRoles() async throws {
        try await withRig { rig, _ in
            let publisher = try await rig.hub.createToken(
                name: "pub", role: .publisher, scopes: ["source/plant"], by: .hub
            ).secret.text
            let own = try await secret(of: "asked", rig)
            let tokens: [(String?, Int)] = [
                (nil, 401), ("nonsense", 401), (own, 401), (rig.viewer, 403), (publisher, 403), (rig.admin, 200),
            ]
            for (token, status) in tokens {
                let answer = try await rig.send("POST", "/hooks/plant?dry_run", token: token, body: "{}")
                #expect(answer.status == status)
            }
            #expect(try await rig.send("POST", "/hooks/nowhere?dry_run", token: rig.admin, body: "{}").status == 404)
        }
    }

    @Test("a dry run reports the verification and shows no more than would be stored")
    func dryRunVerification() async throws {
        try await withRig { rig, token in
            let json = try await rig.send(
                "POST", "/hooks/asked?dry_run", token: token, headers: "X-Id: 1\r\n", body: #"{"pin":"1234","n":7}"#
            )
            #expect(json.json["verification"]?["ok"] == false)
            #expect(json.json["verification"]?["code"] == "not_checked")
            #expect(json.json["answered"] == ["status": 201, "content_type": "text/xml", "body": "<Response/>"])
            let item = try #require(json.json["events"]?.array?.first)
            #expect(item["event"]?["data"]?["pin"] == "[redacted]")
            #expect(item["rules"]?.array?.first?["matched"] == false)
            #expect(!item.text.contains(token))
            let seen = item["rules"]?.array?.first?["explanation"]?.text ?? ""
            #expect(seen.contains("[redacted]"))

            let broken = try await rig.send("POST", "/hooks/asked?dry_run", token: token, body: "{\"pin\":\"1234\"}")
            #expect(broken.status == 200)
            #expect(broken.json["error"]?["code"] == "missing_attribute")
            #expect(broken.json["error"]?["status"]?.number?.int64 == 400)
            #expect(broken.json["events"] == [])
        }
    }

    @Test("a dry run of a paused source says so, of a retired one that it is gone, of a signed one what is wrong")
    func dryRunStates() async throws {
        try await withRig { rig, token in
            _ = try await rig.send("POST", "/v1/sources/plant/pause", token: token)
            let paused = try await rig.send("POST", "/hooks/plant?dry_run", token: token, body: #"{"n":9}"#)
            #expect(paused.json["paused"] == true)
            #expect(paused.json["events"]?.array?.count == 1)
            let gone = try await rig.send("POST", "/hooks/gone?dry_run", token: token, body: "{}")
            #expect(gone.status == 200)
            #expect(gone.json["error"]?["code"] == "retired")
            let unsigned = try await rig.send("POST", "/hooks/repo?dry_run", token: token, body: "{}")
            #expect(unsigned.json["verification"]?["code"] == "signature_missing")
            #expect(unsigned.json["events"]?.array?.count == 1)
        }
    }

    @Test("a challenge is answered with its value as plain text; what could split or fill an answer is refused")
    func challenge() async throws {
        try await withRig { rig, _ in
            let answer = try await rig.send("GET", "/hooks/asked?hub.mode=subscribe&hub.challenge=12%3Cb%3E+3")
            #expect(answer.status == 200)
            #expect(answer.body == "12<b> 3")
            #expect(answer.head.contains("content-type: text/plain; charset=utf-8"))
            #expect(answer.head.contains("x-content-type-options: nosniff"))
            for value in ["a%0D%0ASet-Cookie:%20x=y", "%00", "a%C2%85b", ""] {
                let split = try await rig.send("GET", "/hooks/asked?hub.challenge=\(value)")
                #expect(split.status == 400)
                #expect(!split.head.lowercased().contains("set-cookie"))
            }
            let long = String(repeating: "a", count: Limits.challengeBytesMax)
            #expect(try await rig.send("GET", "/hooks/asked?hub.challenge=\(long)").body == long)
            #expect(try await rig.send("GET", "/hooks/asked?hub.challenge=\(long)a").status == 400)
            #expect(try await rig.send("GET", "/hooks/asked").status == 400)
            let head = try await rig.send("HEAD", "/hooks/asked?hub.challenge=7")
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test("without a challenge a GET is refused as ever, whether there is such a source or not")
    func noChallenge() async throws {
        try await withRig { rig, _ in
            for path in ["/hooks/plant", "/hooks/plant?hub.challenge=1", "/hooks/nowhere"] {
                let answer = try await rig.send("GET", path)
                #expect(answer.status == 405)
                #expect(answer.head.contains("allow: POST, OPTIONS"))
            }
        }
    }

    @Test("respond is the answer to a new delivery and to a repeated one; a refused one is a problem all the same")
    func respond() async throws {
        try await withRig { rig, _ in
            let token = try await secret(of: "asked", rig)
            for _ in 0..<2 {
                let answer = try await rig.send(
                    "POST", "/hooks/asked", token: token, headers: "X-Id: 1\r\n", body: #"{"n":1}"#)
                #expect(answer.status == 201)
                #expect(answer.body == "<Response/>")
                #expect(answer.head.contains("content-type: text/xml"))
                #expect(answer.head.contains("x-content-type-options: nosniff"))
            }
            let refused = try await rig.send("POST", "/hooks/asked", token: "wrong", headers: "X-Id: 1\r\n", body: "{}")
            #expect(refused.status == 401)
            #expect(refused.json["code"] == "unauthorized")
            let events = try await rig.send("GET", "/v1/events", token: rig.viewer).json["items"]?.array
            #expect(events?.count == 1)
        }
    }

    @Test("an encoding that is not taken is answered with what is")
    func encodings() async throws {
        try await withRig { rig, _ in
            let answer = try await rig.send("POST", "/hooks/plant", headers: "Content-Encoding: br\r\n", body: "x")
            #expect(answer.status == 415)
            #expect(answer.head.contains("accept-encoding: gzip"))
        }
    }
}
