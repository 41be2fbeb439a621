import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

@testable import BelfryServer

/// Operators' commands over REST and the WebSocket, on a whole server.
@Suite("commands", .timeLimit(.minutes(3)))
struct CommandRouteTests {
    private static let documents = """

        ---
        rule: ask
        when: { source: [plant], data: { ask: [true] } }
        run:
          params: { tone: { enum: [terse, full], default: terse } }
          steps:
            - { step: confirm, approve: "Shut down {{data.pump}}?", expires: 15m }
            - { step: act, agent: talker, prompt: "{{params.tone}} {{data.pump}}" }
        ---
        rule: ask-minutes
        when: { source: [plant], data: { minutes: [true] } }
        run:
          steps:
            - step: confirm
              approve: "For how long?"
              value:
                schema:
                  type: object
                  required: [minutes]
                  properties: { minutes: { type: integer, maximum: 60 } }
              on_deny: continue
            - { step: act, agent: talker, prompt: "{{steps.confirm.value.minutes}} minutes" }
        """

    private func withRig(_ body: (HubRig) async throws -> Void) async throws {
        try await HubRig.run { rig in
            let text = HubRig.documents + Self.documents
            _ = try await rig.hub.applyDocuments([(path: "test.yaml", text: text)], by: .hub)
            try await body(rig)
        }
    }

    /// Starts a run and waits until it asks; the question's id.
    private func ask(_ rig: HubRig, _ body: String = #"{"ask":true,"pump":"p7"}"#) async throws -> (
        run: String, approval: String
    ) {
        let posted = try await rig.send("POST", "/hooks/plant", body: body)
        let run = try #require(posted.json["runs"]?.array?.first?.string, "\(posted.body)")
        while true {
            let open = try await rig.send("GET", "/v1/approvals?state=open&run=\(run)", token: rig.viewer)
            if let approval = open.json["items"]?.array?.first?["id"]?.string { return (run, approval) }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("a question is listed and shown, and its run shows it with the step that waits")
    func shown() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let shown = try await rig.send("GET", "/v1/approvals/\(approval)", token: rig.viewer)
            #expect(shown.status == 200)
            #expect(shown.head.lowercased().contains("cache-control: no-store"))
            #expect(shown.json["run"]?.string == run && shown.json["step"] == "confirm")
            #expect(shown.json["message"] == "Shut down p7?" && shown.json["state"] == "open")
            #expect(shown.json["guards"] == ["act"] && shown.json["schema"] == .null)
            let whole = try await rig.send("GET", "/v1/runs/\(run)", token: rig.viewer)
            #expect(whole.json["state"] == "waiting" && whole.json["params"] == [:])
            #expect(whole.json["approvals"]?.array == [shown.json])
            let step = whole.json["steps"]?.array?.first
            #expect(step?["state"] == "waiting" && step?["due"] == shown.json["expires"])
            let decided = try await rig.send("GET", "/v1/approvals?state=decided", token: rig.viewer)
            #expect(decided.json["items"]?.array?.isEmpty == true)
        }
    }

    @Test("bodies, ids, roles and scopes that are wrong are refused, and nothing happens")
    func refused() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let scoped = try await rig.hub.createToken(
                name: "s", role: .operator, scopes: ["run/*"], expires: nil, by: .hub
            ).secret.text
            let other = RunID(at: Timestamp(milliseconds: 1)).description
            let none = ApprovalID(at: Timestamp(milliseconds: 1)).description
            let cases: [(String, String, String, Int)] = [
                ("runs/\(run)/skip", "", rig.admin, 400), ("runs/\(run)/skip", "[]", rig.admin, 400),
                ("runs/\(run)/skip", "{", rig.admin, 400), ("runs/\(run)/skip", #"{"steps":"a"}"#, rig.admin, 400),
                ("runs/\(run)/adjust", #"{"param":{}}"#, rig.admin, 400),
                ("runs/\(run)/stop", #"{"reason":"x"}"#, rig.admin, 400),
                ("runs/\(other)/skip", #"{"step":"act"}"#, rig.admin, 404),
                ("runs/run_x/adjust", "{}", rig.admin, 404), ("runs/\(run)/pause", "", rig.admin, 404),
                ("approvals/\(none)/approve", "", rig.admin, 404), ("approvals/apr_x/deny", "", rig.admin, 404),
                ("approvals/\(approval)/approve", #"{"reason":"x"}"#, rig.admin, 400),
                ("approvals/\(approval)/deny", #"{"reason":5}"#, rig.admin, 400),
                ("approvals/\(approval)/deny", #"{"command_id":"mine"}"#, rig.admin, 400),
                ("approvals/\(approval)/approve", "", rig.viewer, 403), ("runs/\(run)/skip", "", rig.viewer, 403),
                ("approvals/\(approval)/deny", "", scoped, 403), ("runs/\(run)/adjust", "", scoped, 403),
                ("approvals/\(approval)/approve", "", "belfry_wrong", 401),
            ]
            for (path, body, token, status) in cases {
                let answer = try await rig.send("POST", "/v1/\(path)", token: token, body: body)
                #expect(answer.status == status, "\(path) \(body): \(answer.body)")
                #expect(answer.head.contains("application/problem+json"))
            }
            for query in ["state=closed", "run=x", "limit=0"] {
                #expect(try await rig.send("GET", "/v1/approvals?\(query)", token: rig.viewer).status == 400)
            }
            #expect(try await rig.send("GET", "/v1/approvals", token: scoped).status == 403)
            #expect(try await rig.send("DELETE", "/v1/approvals/\(approval)", token: rig.admin).status == 405)
            let shown = try await rig.send("GET", "/v1/approvals/\(approval)", token: rig.viewer)
            #expect(shown.json["state"] == "open")
        }
    }

    @Test("what a run refuses is an answer with its reason")
    func rejected() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let cases = [
                ("runs/\(run)/skip", #"{"step":"fly"}"#, "there is no step 'fly'; steps are: confirm, act"),
                ("runs/\(run)/skip", #"{"step":"confirm","output":"yes"}"#, "never supplies a decision"),
                ("runs/\(run)/adjust", "{}", "nothing to adjust"),
                ("runs/\(run)/adjust", #"{"params":{"tune":1}}"#, "not_adjustable"),
                ("runs/\(run)/adjust", #"{"params":{"tone":"loud"}}"#, "params.tone"),
                ("runs/\(run)/adjust", #"{"steps":{"act":{"agent":{"model":"x"}}}}"#, "not_adjustable"),
                ("runs/\(run)/adjust", #"{"steps":{"confirm":{"prompt":"x"}}}"#, "not_adjustable"),
                ("approvals/\(approval)/approve", #"{"value":{"a":1}}"#, "asks for no value"),
            ]
            for (path, body, part) in cases {
                let answer = try await rig.send("POST", "/v1/\(path)", token: rig.admin, body: body)
                #expect(answer.status == 200 && answer.json["result"] == "rejected", "\(path) \(body): \(answer.body)")
                #expect(answer.json["reason"]?.string?.contains(part) == true, "\(answer.body)")
            }
            let stopped = try await rig.send("POST", "/v1/runs/\(run)/stop", token: rig.admin)
            #expect(stopped.json["result"] == "applied")
            let late = try await rig.send("POST", "/v1/approvals/\(approval)/approve", token: rig.admin)
            #expect(late.json["reason"]?.string?.contains("the question was withdrawn") == true, "\(late.body)")
        }
    }

    @Test("a key makes a command repeatable, each principal has its own, and another command under it is refused")
    func keys() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let second = try await rig.hub.createToken(name: "second", role: .operator, by: .hub).secret.text
            func decide(_ word: String, _ token: String, key: String, body: String = "") async throws -> HubRig.Answer {
                try await rig.send(
                    "POST", "/v1/approvals/\(approval)/\(word)", token: token,
                    headers: "Idempotency-Key: \(key)\r\n", body: body)
            }
            let first = try await decide("approve", rig.admin, key: "\"click 1\"".replacing(" ", with: "-"))
            #expect(first.json["result"] == "applied", "\(first.body)")
            let again = try await decide("approve", rig.admin, key: "click-1")
            #expect(again.json["result"] == "applied" && again.json["command"] == first.json["command"])
            let another = try await decide("deny", rig.admin, key: "click-1")
            #expect(another.json["reason"] == "another command was sent under this id", "\(another.body)")
            let theirs = try await decide("approve", second, key: "click-1")
            #expect(theirs.json["command"] != first.json["command"])
            #expect(theirs.json["reason"]?.string?.contains("already approved by root") == true, "\(theirs.body)")

            try await rig.waitForEnd(of: run)
            let command = try #require(first.json["command"]?.string)
            let later = try await decide("approve", rig.admin, key: command)
            #expect(later.json["result"] == "applied")
            let inBody = try await decide("approve", rig.admin, key: command, body: #"{"command_id":"\#(command)"}"#)
            #expect(inBody.json["result"] == "applied")
            let stop = try await rig.send(
                "POST", "/v1/runs/\(run)/stop", token: rig.admin, body: #"{"command_id":"\#(command)"}"#)
            #expect(stop.json["reason"] == "another command was sent under this id")
            let two = try await decide("approve", rig.admin, key: "other", body: #"{"command_id":"\#(command)"}"#)
            #expect(two.status == 400)
            for key in ["", "a b", String(repeating: "k", count: 256), "\"\""] {
                #expect(try await decide("approve", rig.admin, key: key).status == 400, "\(key)")
            }
        }
    }

    @Test("runs are started by hand, retried and stopped together, over REST and the WebSocket alike")
    func runs() async throws {
        try await withRig { rig in
            func post(_ path: String, _ body: String = "", token: String? = nil) async throws -> HubRig.Answer {
                try await rig.send("POST", "/v1/\(path)", token: token ?? rig.admin, body: body)
            }
            let event = #"{"event":{"type":"try","data":{"n":7}}}"#
            let started = try await post("rules/talk/runs", event)
            #expect(started.json["result"] == "applied" && started.json["outcome"] == "started", "\(started.body)")
            let run = try #require(started.json["run"]?.string)
            try await rig.waitForEnd(of: run)
            let early = try await post("runs/\(run)/retry")
            #expect(early.json["reason"] == "all of its steps are over; name the one to begin at: say", "\(early.body)")
            let key = #"{"from":"say","latest":true,"command_id":"\#(CommandID(at: Timestamp(milliseconds: 5)))"}"#
            let retried = try await post("runs/\(run)/retry", key)
            let second = try #require(retried.json["run"]?.string, "\(retried.body)")
            #expect(try await post("runs/\(run)/retry", key).json["run"]?.string == second)
            try await rig.waitForEnd(of: second)
            let shown = try await rig.send("GET", "/v1/runs/\(second)", token: rig.viewer)
            #expect(shown.json["retry_of"]?.string == run)

            _ = try await ask(rig)
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.admin)
            try await client.call("run.start", #"{"rule":"ask","event":{"data":{"pump":"p8"}}}"#)
            #expect(try await client.answer().answer[path: ["result", "result"]] == "applied")
            try await client.call("runs.stop", #"{"rule":"ask"}"#)
            let stopped = try await client.answer().answer
            #expect(stopped[path: ["result", "stopped"]] == 2, "\(stopped)")
            let none = try await post("runs/stop")
            #expect(none.json["stopped"] == 0 && none.json["result"] == "applied", "\(none.body)")

            for (path, body, token, status) in [
                ("rules/talk/runs", event, rig.viewer, 403), ("runs/\(run)/retry", "", rig.viewer, 403),
                ("runs/stop", "", rig.viewer, 403), ("rules/none/runs", event, rig.admin, 404),
                ("rules/talk/runs", #"{"event":[]}"#, rig.admin, 400),
                ("rules/talk/runs", #"{"data":1}"#, rig.admin, 400),
                ("rules/talk/runs", #"{"event":{"action":"x"}}"#, rig.admin, 400),
                ("runs/\(run)/retry", #"{"from":5}"#, rig.admin, 400), ("runs/stop", #"{"rule":""}"#, rig.admin, 400),
                ("runs/stop", #"{"rule":"gone"}"#, rig.admin, 404),
            ] {
                let answer = try await post(path, body, token: token)
                #expect(answer.status == status, "\(path) \(body): \(answer.body)")
            }
        }
    }

    @Test("a value must be what the question asks for, and reaches the steps behind it")
    func values() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig, #"{"minutes":true}"#)
            for body in ["", #"{"value":{}}"#, #"{"value":{"minutes":61}}"#, #"{"value":{"minutes":"5"}}"#] {
                let answer = try await rig.send(
                    "POST", "/v1/approvals/\(approval)/approve", token: rig.admin, body: body)
                #expect(answer.status == 200 && answer.json["result"] == "rejected", "\(answer.body)")
                #expect(answer.json["reason"]?.string?.contains("value") == true, "\(answer.body)")
            }
            let yes = #"{"value":{"minutes":30}}"#
            let answer = try await rig.send("POST", "/v1/approvals/\(approval)/approve", token: rig.admin, body: yes)
            #expect(answer.json["result"] == "applied", "\(answer.body)")
            try await rig.waitForEnd(of: run)
            let steps = try await rig.send("GET", "/v1/runs/\(run)", token: rig.viewer).json["steps"]?.array
            #expect(steps?.first?["value"] == ["minutes": 30])
            #expect(steps?.last?["output"] == "30 minutes")
            let shown = try await rig.send("GET", "/v1/approvals/\(approval)", token: rig.viewer).json
            #expect(shown["decision"] == "approve" && shown["decided_by"] == "root")
            #expect(shown["value"] == ["minutes": 30] && shown["state"] == "decided")
        }
    }

    @Test("an adjusted run asks again, and a yes to the question before does not count for the new one")
    func reopened() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let adjust = #"{"params":{"tone":"full"},"steps":{"act":{"prompt":"burn it down"}}}"#
            let adjusted = try await rig.send("POST", "/v1/runs/\(run)/adjust", token: rig.admin, body: adjust)
            #expect(adjusted.json["result"] == "applied", "\(adjusted.body)")
            let stale = try await rig.send("POST", "/v1/approvals/\(approval)/approve", token: rig.admin)
            #expect(stale.json["result"] == "rejected", "\(stale.body)")
            #expect(stale.json["reason"]?.string?.contains("what it stands before was changed") == true)
            let whole = try await rig.send("GET", "/v1/runs/\(run)", token: rig.viewer).json
            #expect(whole["params"] == ["tone": "full"])
            #expect(whole["steps"]?.array?.last?["adjusted"] == ["prompt": "burn it down"])
            #expect(whole["approvals"]?.array?.map { $0["state"] } == ["open", "decided"])
            let open = try #require(whole["approvals"]?.array?.first?["id"]?.string)
            let yes = try await rig.send("POST", "/v1/approvals/\(open)/approve", token: rig.admin)
            #expect(yes.json["result"] == "applied")
            try await rig.waitForEnd(of: run)
            let steps = try await rig.send("GET", "/v1/runs/\(run)", token: rig.viewer).json["steps"]?.array
            #expect(steps?.last?["output"] == "burn it down")
        }
    }

    @Test("the WebSocket decides as REST does: a viewer is refused, one wins, the other reads who was first")
    func webSocket() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let decide = #"{"approval":"\#(approval)","decision":"approve"}"#
            let viewer = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await viewer.call("approval.decide", decide)
            #expect(try await viewer.answer().answer[path: ["error", "data", "code"]] == "forbidden")
            await viewer.close()

            let operators = ["anna", "ben"]
            var clients: [WebSocketClient] = []
            for name in operators {
                let token = try await rig.hub.createToken(name: name, role: .operator, by: .hub).secret.text
                clients.append(try await WebSocketClient.connect(port: rig.port, token: token))
            }
            for client in clients { try await client.call("approval.decide", decide) }
            var results: [JSONValue] = []
            for client in clients { results.append(try await client.answer().answer["result"] ?? .null) }
            let winner = try #require(results.firstIndex { $0["result"] == "applied" }, "\(results)")
            let loser = results[1 - winner]
            #expect(loser["result"] == "rejected")
            #expect(loser["reason"]?.string?.contains("already approved by \(operators[winner])") == true, "\(loser)")
            try await rig.waitForEnd(of: run)
            try await clients[0].call("run.skip", #"{"run":"\#(run)","step":"act"}"#)
            let late = try await clients[0].answer().answer
            #expect(late[path: ["result", "reason"]]?.string?.hasPrefix("already succeeded at 20") == true)
            try await clients[0].call("approval.decide", #"{"approval":"\#(approval)","decision":"maybe"}"#)
            #expect(try await clients[0].answer().answer[path: ["error", "code"]] == .int(-32602))
            let none = ApprovalID(at: Timestamp(milliseconds: 1))
            try await clients[0].call("approval.decide", #"{"approval":"\#(none)","decision":"deny"}"#)
            #expect(try await clients[0].answer().answer[path: ["error", "data", "code"]] == "not_found")
            for client in clients { await client.close() }
        }
    }

    @Test("a late viewer's snapshot has the open question, and no decided one")
    func snapshot() async throws {
        try await withRig { rig in
            let (run, approval) = try await ask(rig)
            let client = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await client.call("subscribe", #"{"topics":["run/\#(run)"]}"#)
            let asked = try await client.answer().frames.first?[path: ["data", "approvals"]]?.array
            #expect(asked?.count == 1 && asked?.first?["approval"]?.string == approval)
            await client.close()
            _ = try await rig.send("POST", "/v1/approvals/\(approval)/deny", token: rig.admin)
            let late = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await late.call("subscribe", #"{"topics":["run/\#(run)"]}"#)
            let data = try await late.answer().frames.first?["data"]
            #expect(data?["state"] == "stopped" && data?["approvals"] == nil, "\(data ?? .null)")
            await late.close()
        }
    }
}
