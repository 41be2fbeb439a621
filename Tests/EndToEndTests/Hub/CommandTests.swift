import BelfryCore
import Foundation
import Testing

/// What operators say to live runs, with the real binary and its command line.
@Suite(.timeLimit(.minutes(3))) struct CommandTests {
    private static let documents = """
        source: lab
        preset: none
        type: body.kind
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        agent: slow
        kind: echo
        words_per_second: 1
        ---
        rule: ask
        when: { source: [lab], type: [ask] }
        run:
          steps:
            - { step: look, agent: parrot, prompt: "all is well" }
            - { step: confirm, approve: "Shut down {{data.pump}}?", expires: 15m }
            - { step: act, agent: parrot, prompt: "shut down {{data.pump}}" }
        ---
        rule: talk
        when: { source: [lab], type: [talk] }
        run:
          steps:
            - { step: say, agent: slow, prompt: "one two three four five six seven eight nine ten eleven twelve" }
            - { step: tell, agent: parrot, prompt: "they said {{steps.say.output}}" }
        ---
        rule: work
        when: { source: [lab], type: [work] }
        run:
          steps:
            - { step: work, command: [sh, "-c", "{{data.script}}"], default: "nothing was done" }
            - { step: tell, agent: parrot, prompt: "{{steps.work.output}}" }
        """

    private func withHub(_ body: (HubProcess) async throws -> Void) async throws {
        let configuration = try TemporaryFolder()
        let file = try configuration.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        try await HubProcess.start(documents: Self.documents, arguments: ["--config", file]).use(body)
    }

    private func start(_ hub: HubProcess, _ body: JSONValue) async throws -> String {
        let posted = try await hub.client.request("POST", "/hooks/lab", json: body)
        return try #require(posted.json["runs"]?.array?.first?.string, "\(posted.text)")
    }

    /// Starts a run that asks; the run, and its question.
    private func ask(_ hub: HubProcess) async throws -> (run: String, approval: String) {
        let run = try await start(hub, ["kind": "ask", "pump": "p7"])
        return (run, try await question(of: run, hub))
    }

    private func question(of run: String, _ hub: HubProcess) async throws -> String {
        let client = try hub.client
        return try await eventually(within: .seconds(20), "the question") {
            try await client.request("GET", "/v1/approvals?state=open&run=\(run)").json["items"]?.array?.first?["id"]?
                .string
        }
    }

    private func step(_ name: String, of run: JSONValue) -> JSONValue {
        run["steps"]?.array?.first { $0["name"]?.string == name } ?? .null
    }

    @Test("a yes lets the next step run; the timeline says what is asked, how to answer, and what was said")
    func approve() async throws {
        try await withHub { hub in
            let (run, approval) = try await ask(hub)
            let waiting = try await hub.belfry("runs", "show", run)
            #expect(waiting.output.contains("confirm  approve  waiting until 2"), "\(waiting.output)")
            #expect(waiting.output.contains("Shut down p7?\n  belfry approvals approve \(approval)\n"))
            #expect(waiting.output.contains("✓ look"), "\(waiting.output)")
            let list = try await hub.belfry("approvals")
            #expect(list.output.contains("Shut down p7?") && list.output.contains(approval), "\(list.output)")
            let shown = try await hub.belfry("approvals", "show", approval)
            #expect(shown.output.hasPrefix("Shut down p7?\n\nstate       open\n"), "\(shown.output)")

            let yes = try await hub.belfry("approvals", "approve", approval)
            #expect(yes.code == 0 && yes.output.hasPrefix("applied after "), "\(yes)")
            let ended = try await hub.ended(run)
            #expect(ended["state"] == "succeeded")
            #expect(step("act", of: ended)["output"] == "shut down p7")
            let late = try await hub.belfry("approvals", "deny", approval)
            #expect(late.code == 1 && late.output.hasPrefix("rejected: already approved by admin at 2"), "\(late)")
            #expect(try await hub.belfry("approvals", "list").output == "nothing to show\n")
            let all = try await hub.belfry("approvals", "list", "--state", "all", "--output", "json").json
            #expect(all["items"]?.array?.first?["decided_by"] == "admin")
            #expect(try await hub.belfry("runs", "show", run).output.contains("approved by admin"))
            #expect(try await hub.belfry("approvals", "approve", "apr_x").code == 1)
            #expect(try await hub.belfry("approvals", "approve", approval, "--value", "{").code == 2)
        }
    }

    @Test("a no ends the run, and everybody reads why")
    func deny() async throws {
        try await withHub { hub in
            let (run, approval) = try await ask(hub)
            let no = try await hub.belfry("approvals", "deny", approval, "--reason", "not during the match")
            #expect(no.code == 0, "\(no)")
            let ended = try await hub.ended(run)
            #expect(ended["state"] == "stopped" && ended["reason"] == "denied")
            #expect(step("act", of: ended) == .null)
            let watched = try await hub.belfry("runs", "watch", run, "--output", "json")
            #expect(watched.code == 1)
            #expect(watched.output.contains(#""reason":"not during the match""#))
            #expect(try await hub.belfry("runs", "show", run).output.contains("denied by admin: not during the match"))
        }
    }

    @Test("a question outlives kill -9, and so do the answers to commands")
    func killed() async throws {
        try await withHub { hub in
            let (run, approval) = try await ask(hub)
            let client = try hub.client
            let command = CommandID(at: WallClock.system.now()).description
            let wrong = try await client.request(
                "POST", "/v1/approvals/\(approval)/approve", json: ["command_id": .string(command), "value": ["a": 1]])
            #expect(wrong.json["result"] == "rejected", "\(wrong.text)")
            try await hub.kill9()
            try await hub.restart()
            #expect(try await question(of: run, hub) == approval)
            let other = try await hub.client.request(
                "POST", "/v1/approvals/\(approval)/approve", json: ["command_id": .string(command)])
            #expect(other.json["reason"] == "another command was sent under this id", "\(other.text)")
            let key = [("Idempotency-Key", "the-button")]
            let yes = try await hub.client.request("POST", "/v1/approvals/\(approval)/approve", headers: key)
            #expect(yes.json["result"] == "applied", "\(yes.text)")
            #expect(try await hub.ended(run)["state"] == "succeeded")
            try await hub.kill9()
            try await hub.restart()
            let again = try await hub.client.request("POST", "/v1/approvals/\(approval)/approve", headers: key)
            #expect(again.json["result"] == "applied" && again.json["command"] == yes.json["command"], "\(again.text)")
        }
    }

    @Test("a run that waits for an answer is stopped, and its question withdrawn")
    func stopWaiting() async throws {
        try await withHub { hub in
            let (run, approval) = try await ask(hub)
            let stopped = try await hub.belfry("runs", "stop", run)
            #expect(stopped.code == 0, "\(stopped)")
            #expect(try await hub.ended(run)["state"] == "stopped")
            let late = try await hub.belfry("approvals", "approve", approval)
            #expect(late.code == 1 && late.output.contains("the question was withdrawn"), "\(late)")
            #expect(try await hub.belfry("runs", "stop", run).output.hasPrefix("rejected: already stopped"))
        }
    }

    @Test("a step that works is cut by a skip, and has the output that was given")
    func skip() async throws {
        try await withHub { hub in
            let talk = try await start(hub, ["kind": "talk"])
            let stream = try await hub.client.stream("/v1/runs/\(talk)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string != nil }
            let cut = try await hub.belfry("runs", "skip", talk, "say", "--text", "nothing")
            #expect(cut.code == 0, "\(cut)")
            let ended = try await hub.ended(talk)
            #expect(step("say", of: ended)["state"] == "skipped" && step("say", of: ended)["reason"] == "operator")
            // What a step has said stands in the next one's prompt between fences.
            #expect(step("tell", of: ended)["output"]?.string?.contains("\nnothing\n") == true, "\(ended)")

            let marker = "31557600.\(Int.random(in: 1000...9999))"
            let work = try await start(hub, ["kind": "work", "script": .string("echo ready; sleep \(marker)")])
            let other = try await hub.client.stream("/v1/runs/\(work)/stream?after=0")
            _ = try await other.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            // The shell says it is ready before it sleeps.
            _ = try await eventually(within: .seconds(20), "the sleep") { Processes.isSleeping(marker) ? true : nil }
            #expect(try await hub.belfry("runs", "skip", work, "work").code == 0)
            #expect(!Processes.isSleeping(marker))
            let told = step("tell", of: try await hub.ended(work))["output"]?.string
            #expect(told?.contains("\nnothing was done\n") == true, "\(told ?? "-")")
            let unknown = try await hub.belfry("runs", "skip", work, "fly")
            #expect(unknown.code == 1 && unknown.output.contains("already succeeded"), "\(unknown)")
            #expect(try await hub.belfry("runs", "skip", work, "work", "--text", "a", "--json", "1").code == 2)
        }
    }

    @Test("a person starts a run, makes a new one of it, and stops all there are")
    func startRetryStop() async throws {
        try await withHub { hub in
            let folder = try TemporaryFolder()
            let event = try folder.write(#"{"type":"ask","data":{"pump":"p9"}}"#, to: "event.json")
            let started = try await hub.belfry("runs", "start", "ask", "--event", event)
            #expect(started.code == 0 && started.output.hasPrefix("applied after "), "\(started)")
            let run = try #require(started.output.split(separator: " ").last).trimmingCharacters(in: .newlines)
            _ = try await question(of: run, hub)
            let all = try await hub.belfry("runs", "stop", "--all")
            #expect(all.code == 0 && all.output.hasPrefix("1 run stopped after "), "\(all)")
            #expect(try await hub.ended(run)["state"] == "stopped")
            #expect(try await hub.belfry("runs", "stop", "--all", "--rule", "ask").output.hasPrefix("0 runs stopped"))

            let retried = try await hub.belfry("runs", "retry", run, "--output", "json").json
            let second = try #require(retried["run"]?.string)
            let approval = try await question(of: second, hub)
            let early = try await hub.belfry("runs", "retry", second)
            #expect(early.code == 1 && early.output.contains("stop it first"), "\(early)")
            _ = try await hub.belfry("approvals", "approve", approval)
            let ended = try await hub.ended(second)
            #expect(step("act", of: ended)["output"] == "shut down p9" && step("look", of: ended)["attempt"] == 1)
            let script = try folder.write(#"{"data":{"script":"echo over"}}"#, to: "work.json")
            let work = try await hub.belfry("runs", "start", "work", "--event", script, "--output", "json").json
            let worked = try #require(work["run"]?.string)
            _ = try await hub.ended(worked)
            let watched = try await hub.belfry("runs", "retry", worked, "--from", "tell", "--watch")
            #expect(watched.code == 0 && watched.output.contains("over"), "\(watched)")

            for (arguments, code, part) in [
                (["stop"], 2, "--all"), (["stop", run, "--all"], 2, "--all"), (["stop", run, "--yes"], 2, "--all"),
                (["stop", "--all", "--rule", "aks"], 1, "did you mean 'ask'"),
                (["retry", second], 1, "name the one to begin at"), (["start", "none"], 1, "there is no rule none"),
                (["start", "ask", "--event", "/nowhere.json"], 2, "is no file"),
            ] as [([String], Int32, String)] {
                let answer = try await hub.belfry(["runs"] + arguments)
                #expect(
                    answer.code == code && (answer.output + answer.errors).contains(part), "\(arguments): \(answer)")
            }
        }
    }

    @Test("an agent is asked one thing; one that does not answer ends with 1 and says why")
    func agents() async throws {
        let deaf = """

            ---
            agent: deaf
            kind: openai
            base_url: http://127.0.0.1:1/v1
            model: none
            retries: 0
            """
        try await HubProcess.start(documents: Self.documents.replacing("rule: work", with: "rule: toil") + deaf).use {
            hub in
            let good = try await hub.belfry("agents", "test", "parrot", "--prompt", "hear hear")
            #expect(
                good.code == 0 && good.output.hasPrefix("hear hear\nparrot (echo) answers: first token after "),
                "\(good)")
            let bad = try await hub.belfry("agents", "test", "deaf")
            #expect(bad.code == 1 && bad.output.hasPrefix("deaf (openai, none) fails after "), "\(bad)")
            #expect(try await hub.belfry("agents", "test", "parot").errors.contains("did you mean 'parrot'?"))
        }
    }

    @Test("the prompt of a step to come is changed on a live run")
    func adjust() async throws {
        try await withHub { hub in
            let run = try await start(hub, ["kind": "talk"])
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string != nil }
            let late = try await hub.belfry("runs", "adjust", run, "--prompt", "say=other")
            #expect(late.code == 1 && late.output.contains("restart: true"), "\(late)")
            let adjusted = try await hub.belfry("runs", "adjust", run, "--prompt", "tell={{never}} mind")
            #expect(adjusted.code == 0, "\(adjusted)")
            #expect(try await hub.belfry("runs", "skip", run, "say", "--json", #"{"a":1}"#).code == 0)
            let ended = try await hub.ended(run)
            #expect(step("tell", of: ended)["output"] == "{{never}} mind", "\(ended)")
            #expect(step("say", of: ended)["output"] == #"{"a":1}"#)
            #expect(try await hub.belfry("runs", "adjust", run).code == 2)
        }
    }
}
