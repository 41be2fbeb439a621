import BelfryCore
import Testing

@Suite(.timeLimit(.minutes(3))) struct VersionRouteTests {
    private func rule(_ about: String, agent: String = "talker") -> String {
        """
        rule: second
        about: \(about)
        when: { source: [plant] }
        run: { steps: [ { step: a, agent: \(agent), prompt: x } ] }

        """
    }

    private func put(_ rig: HubRig, _ text: String, headers: String = "") async throws -> Int {
        try await rig.send("PUT", "/v1/rules/second", token: rig.admin, headers: headers, body: text).status
    }

    @Test("versions are listed, shown, compared, brought back, also after the rule was removed")
    func versions() async throws {
        try await HubRig.run { rig in
            #expect(try await put(rig, rule("one")) == 201)
            #expect(try await put(rig, rule("two")) == 200)
            let list = try await rig.send("GET", "/v1/rules/second/versions", token: rig.viewer)
            #expect(list.json["items"]?.array?.map { $0["keys"]?.text } == ["[\"about\"]", "[]"])
            #expect(list.json["items"]?.array?.allSatisfy { $0["by"]?.string == "root" } == true)
            let first = try await rig.send("GET", "/v1/rules/second/versions/1", token: rig.viewer)
            #expect(first.json["text"]?.string?.contains("about: one") == true)
            #expect(first.json["document"]?["about"]?.string == "one")
            let diff = try await rig.send("GET", "/v1/rules/second/diff?from=1", token: rig.viewer)
            #expect(diff.json["diff"]?.string?.contains("-about: one\n+about: two\n") == true, "\(diff.json.text)")
            #expect(diff.json["keys"]?.text == "[\"about\"]")

            let stale = try await rig.send(
                "DELETE", "/v1/rules/second", token: rig.admin, headers: "If-Match: \"1\"\r\n")
            #expect(stale.status == 412 && stale.json["version"]?.number?.int64 == 2)
            #expect(stale.json["detail"]?.string?.contains("by root), not 1") == true)
            let removed = try await rig.send(
                "DELETE", "/v1/rules/second", token: rig.admin, headers: "If-Match: \"2\"\r\n")
            #expect(removed.status == 204)

            let body = #"{"version":1}"#
            let viewer = try await rig.send("POST", "/v1/rules/second/rollback", token: rig.viewer, body: body)
            #expect(viewer.status == 403)
            let there = try await rig.send(
                "POST", "/v1/rules/second/rollback", token: rig.admin, headers: "If-Match: *\r\n", body: body)
            #expect(there.status == 412)
            let back = try await rig.send("POST", "/v1/rules/second/rollback", token: rig.admin, body: body)
            #expect(back.status == 200 && back.head.contains("etag: \"4\""))
            #expect(back.json["changed"]?.bool == true && back.json["restored"]?.number?.int64 == 1)
            let again = try await rig.send("POST", "/v1/rules/second/rollback", token: rig.admin, body: body)
            #expect(again.json["changed"]?.bool == false && again.json["version"]?.number?.int64 == 4)
            let removal = try await rig.send(
                "POST", "/v1/rules/second/rollback", token: rig.admin, body: #"{"version":3}"#)
            #expect(removal.status == 409 && removal.json["detail"]?.string?.contains("is its removal") == true)
        }
    }

    @Test("an edit passes only if its condition is understood and holds")
    func conditions() async throws {
        try await HubRig.run { rig in
            let edits: [(headers: String, status: Int)] = [
                ("If-Match: *", 412), ("If-None-Match: *", 201), ("If-None-Match: *", 412), ("If-Match: W/\"1\"", 412),
                ("If-None-Match: \"7\"", 400), ("If-Match: \"1\"\r\nIf-Match: \"2\"", 400), ("If-Match: *", 200),
                ("If-Match: \"2\"", 200),
            ]
            for (index, edit) in edits.enumerated() {
                let status = try await put(rig, rule("edit \(index)"), headers: edit.headers + "\r\n")
                #expect(status == edit.status, "\(edit.headers)")
            }
        }
    }

    @Test("an old version whose agent is gone is not brought back, with its line")
    func agentGone() async throws {
        try await HubRig.run { rig in
            let agent = try await rig.send(
                "PUT", "/v1/agents/extra", token: rig.admin, body: "agent: extra\nkind: echo\n")
            #expect(agent.status == 201)
            #expect(try await put(rig, rule("one", agent: "extra")) == 201)
            #expect(try await put(rig, rule("one")) == 200)
            let pruned = try await rig.send(
                "POST", "/v1/documents", token: rig.admin,
                body: JSONValue.object([
                    "files": [["path": "all.yaml", "text": .string(HubRig.documents + "\n---\n" + rule("one"))]],
                    "prune": true,
                ]).text)
            #expect(pruned.json["removed"]?.text == "[\"agent/extra\"]", "\(pruned.json.text)")
            let back = try await rig.send(
                "POST", "/v1/rules/second/rollback", token: rig.admin, body: #"{"version":1}"#)
            #expect(back.status == 422)
            let diagnostic = back.json["diagnostics"]?.array?.first
            #expect(diagnostic?["file"]?.string == "version 1" && diagnostic?["line"]?.number?.int64 == 4)
            #expect(diagnostic?["message"]?.string?.contains("there is no agent 'extra'") == true)
        }
    }

    @Test("a plan says what it changes, as diffs if asked; one that prunes what another rule needs is refused")
    func plan() async throws {
        try await HubRig.run { rig in
            #expect(try await put(rig, rule("one")) == 201)
            func documents(_ text: String, _ members: JSONObject) async throws -> JSONValue {
                var body: JSONObject = ["files": [["path": "a.yaml", "text": .string(text)]]]
                for member in members.members { body[member.key] = member.value }
                return try await rig.send(
                    "POST", "/v1/documents", token: rig.admin, body: JSONValue.object(body).text
                ).json
            }
            let dry = try await documents(rule("two"), ["dry_run": true, "diff": true])
            let change = dry["changes"]?.array?.first
            #expect(change?["document"]?.string == "rule/second" && change?["keys"]?.text == "[\"about\"]")
            #expect(change?["version_before"]?.number?.int64 == 1)
            #expect(change?["diff"]?.string?.hasPrefix("--- rule/second version 1\n+++ rule/second\n@@") == true)
            let stale = try await documents(rule("two"), ["version": 7])
            #expect(stale["code"]?.string == "precondition_failed")
            let two = try await documents(rule("two") + "---\n" + HubRig.documents, ["version": 1])
            #expect(two["code"]?.string == "malformed")
            let json =
                #"{"rule":"second","when":{"source":["plant"]},"run":{"steps":[{"step":"a","agent":"talker","prompt":"x"}]}}"#
            let asJSON = try await documents(json, ["dry_run": true, "diff": true])
            let diff = asJSON["changes"]?.array?.first?["diff"]?.string
            #expect(diff?.contains("-  \"about\": \"one\",\n") == true, "\(diff ?? "")")
            let prune = try await documents(rule("one"), ["prune": true, "dry_run": true])
            #expect(prune["code"]?.string == "invalid_document", "\(prune.text)")
        }
    }

    @Test("a secret that the server does not allow is warned of before it is applied")
    func secretWarnings() async throws {
        try await HubRig.run { rig in
            let text = """
                source: pay
                preset: stripe
                secret: env:PAY_SECRET
                ---
                agent: big
                kind: openai
                base_url: https://api.openai.com/v1
                model: m
                key: env:BIG_KEY
                """
            let answer = try await rig.send(
                "POST", "/v1/documents", token: rig.admin,
                body: JSONValue.object(["files": [["path": "a.yaml", "text": .string(text)]], "dry_run": true]).text)
            let warnings = answer.json["warnings"]?.array?.compactMap(\.string) ?? []
            #expect(warnings.count == 2, "\(answer.json.text)")
            #expect(warnings.first?.hasPrefix("source pay would be disabled: env:PAY_SECRET is not allowed") == true)
            #expect(warnings.last?.hasPrefix("agent big can't work: env:BIG_KEY is not allowed") == true)
        }
    }

    @Test("an edit of a source leaves its URL, its secret and its pause as they are")
    func sourceURL() async throws {
        try await HubRig.run { rig in
            func source() async throws -> JSONValue {
                try await rig.send("GET", "/v1/sources/repo", token: rig.admin).json
            }
            let before = try await source()
            _ = try await rig.send("POST", "/v1/sources/repo/pause", token: rig.admin)
            let text = before["text"]?.string ?? ""
            let edited = try await rig.send(
                "PUT", "/v1/sources/repo", token: rig.admin, headers: "If-Match: \"1\"\r\n",
                body: text.replacing("body_max: 100000", with: "body_max: 200000\nabout: other"))
            #expect(edited.status == 200)
            let renamed = try await rig.send(
                "PUT", "/v1/sources/repo", token: rig.admin, body: text.replacing("repo", with: "elsewhere"))
            #expect(renamed.status == 422)
            let back = try await rig.send(
                "POST", "/v1/sources/repo/rollback", token: rig.admin, headers: "If-Match: \"2\"\r\n",
                body: #"{"version":1}"#)
            #expect(back.json["version"]?.number?.int64 == 3)
            let after = try await source()
            #expect(after["url"] == before["url"] && after["path"]?.string == "/hooks/repo")
            #expect(after["secrets"] == before["secrets"] && after["paused"]?.bool == true)
        }
    }

    @Test("switches are for operators, bounded, and shown as they are in effect")
    func switches() async throws {
        try await HubRig.run { rig in
            func post(_ path: String, _ body: String, token: String? = nil) async throws -> (Int, JSONValue) {
                let answer = try await rig.send("POST", path, token: token ?? rig.admin, body: body)
                return (answer.status, answer.json)
            }
            #expect(try await post("/v1/rules/talk/mute", #"{"for":"2h"}"#, token: rig.viewer).0 == 403)
            #expect(try await post("/v1/rules/talk/observe", #"{"on":true}"#, token: rig.viewer).0 == 403)
            let muted = try await post("/v1/rules/talk/mute", #"{"for":"2h"}"#)
            #expect(muted.0 == 200 && muted.1["muted_by"]?.string == "root" && muted.1["muted_until"] != nil)
            #expect(try await post("/v1/rules/talk/mute", #"{"for":"31d"}"#).1["code"]?.string == "malformed")
            #expect(try await post("/v1/rules/talk/mute", #"{"for":2}"#).0 == 400)
            #expect(try await post("/v1/rules/talk/mute", #"{"for":"0s"}"#).1["muted_until"] == nil)
            #expect(try await post("/v1/rules/talk/observe", #"{"on":true}"#).1["mode"]?.string == "observe")
            let list = try await rig.send("GET", "/v1/rules", token: rig.viewer).json["items"]?.array
            #expect(list?.first?["mode"]?.string == "observe")
            let unknown = try await post("/v1/rules/talc/observe", #"{"on":true}"#)
            #expect(unknown.0 == 404 && unknown.1["detail"]?.string == "there is no rule talc; did you mean 'talk'?")
            #expect(try await post("/v1/rules/talk/observe", #"{"on":false}"#).1["mode"]?.string == "run")
        }
    }
}
