import BelfryCore
import BelfryStore
import Foundation
import Testing

@testable import BelfryEngine

/// Tools that an agent calls: what is granted, what is asked first, what is never done.
@Suite(.timeLimit(.minutes(3))) struct ToolTests {
    private static let pump = "{ schema: { type: object, properties: { pump: { type: string } }, required: [pump] } }"

    /// - Parameter tools: none if empty.
    private static func documents(_ model: ScriptedModel, _ tools: String, step: String = "") -> String {
        let lines = tools.split(separator: "\n").map { "        \($0)" }
        let granted = tools.isEmpty ? "" : (["tools:"] + lines).joined(separator: "\n")
        return """
            source: lab
            preset: none
            ---
            \(model.agent("oncall"))
            ---
            agent: parrot
            kind: echo
            words_per_second: 1000
            ---
            rule: pump
            when: { source: [lab] }
            run:
              steps:
                - step: mend
                  agent: oncall
                  prompt: "Look after {{data.pump}}."
                  \(step)
                  \(granted)
            ---
            rule: alarm
            when: { source: [belfry], type: [pump.alarm] }
            run: { steps: [ { step: say, agent: parrot, prompt: "alarm {{data.pump}}" } ] }
            """
    }

    private static let status = #"""
        - { tool: status, about: How a pump is., command: [shell, "-c", 'echo "$1 is hot"', x, "{{input.pump}}"], input: PUMP, approve: false }
        """#.replacing("PUMP", with: pump)
    private static let restart = #"""
        - { tool: restart, about: Begins a pump anew., command: [shell, "-c", 'touch "MARKS/$1" && echo "made $1"', x, "{{input.pump}}"], input: PUMP }
        """#.replacing("PUMP", with: pump)

    private let anna = Principal(token: nil, name: "anna", role: .operator)

    private func run(
        _ test: TestHub, _ body: String = #"{"pump":"p7"}"#
    ) async throws -> RunID { try #require(try await test.post(body, to: "lab").first?.runs.first) }

    /// The question that a run waits with.
    private func question(of run: RunID, _ test: TestHub, after earlier: ApprovalID? = nil) async throws
        -> ApprovalRecord
    {
        _ = try await test.frames(of: run) {
            $0.draft.type == .approvalRequested
                && $0.draft.data.value["approval"]?.string != earlier?.description
        }
        let open = try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items
        return try #require(open.first)
    }

    /// - Parameter body: gets the folder in which `restart` leaves a file for each pump.
    private func with(
        _ model: ScriptedModel, _ tools: String, step: String = "",
        _ body: @Sendable (TestHub, String) async throws -> Void
    ) async throws {
        let folder = try TestFolder()
        let marks = folder.path + "/marks"
        try FileManager.default.createDirectory(atPath: marks, withIntermediateDirectories: true)
        let documents = Self.documents(model, tools.replacing("MARKS", with: marks), step: step)
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"], folder: folder) { test in
            try await body(test, marks)
        }
    }

    @Test("a call is done, the model hears what came of it, and everybody sees it")
    func calls() async throws {
        let model = ScriptedModel([.calls([("status", #"{"pump":"p7"}"#)]), .text("It is hot.")])
        try await with(model, Self.status) { test, _ in
            let run = try await run(test)
            let frames = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded && steps[0].output == "It is hot." && steps[0].attempt == 1)
            #expect(steps[0].conversation == nil)
            let tool = frames.filter { $0.draft.type.rawValue.hasPrefix("TOOL_CALL") }
            #expect(tool.map(\.draft.type) == [.toolCallStart, .toolCallArgs, .toolCallEnd, .toolCallResult])
            #expect(Set(tool.map { $0.draft.data.value["toolCallId"]?.string }) == ["mend.1.1.1"])
            #expect(tool.last?.draft.data.value["content"] == "p7 is hot\n")
            let begun = frames.filter { $0.draft.type == .stepState }.map(\.draft.data.value)
            #expect(begun == [["step": "mend", "toolCallId": "mend.1.1.1", "state": "running"]])
            #expect(model.lastMessages.last?["role"] == "tool" && model.lastMessages.last?["content"] == "p7 is hot\n")
            #expect(model.asked.first?["tools"]?.array?.count == 1)
            let audit = try await test.hub.audit(cursor: nil, limit: 99).items.map(\.action)
            #expect(audit.contains("tool.called") && audit.contains("tool.answered"))
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("a tool with effects asks first; the run leaves memory meanwhile, and goes on with the same attempt")
    func asks() async throws {
        let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)]), .text("done")])
        try await with(model, Self.restart) { test, marks in
            let run = try await run(test)
            let question = try await question(of: run, test)
            #expect(try await test.isUnloaded())
            #expect(question.call?.value == ["id": "mend.1.1.1", "tool": "restart", "arguments": ["pump": "p7"]])
            #expect(question.message == #"Step mend wants to call restart with {"pump":"p7"}"#)
            #expect(!FileManager.default.fileExists(atPath: marks + "/p7"))
            let call: JSONValue = [
                "toolCallId": "mend.1.1.1", "toolCallName": "restart", "state": "asked", "at": 0,
                "arguments": #"{"pump":"p7"}"#,
            ]
            let said = try await test.hub.saidSoFar(by: try await test.hub.run(run).steps)
            #expect(said["mend"]?.value == ["text": "", "calls": [call]], "\(said)")
            let yes = try await test.say(.approve(step: "mend"), on: run, by: anna)
            #expect(yes.result == .applied, "\(yes)")
            _ = try await test.framesToEnd(of: run)
            #expect(FileManager.default.fileExists(atPath: marks + "/p7"))
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded && steps[0].attempt == 1 && steps[0].output == "done")
            #expect(steps[0].inputTokens == nil && model.asked.count == 2)
            #expect(try await test.hub.saidSoFar(by: steps).isEmpty)
            let late = try await test.hub.snapshot(of: [.run(run)]).frames.first?.draft.data.value
            let shown = late?["steps"]?.array?.first?["calls"]?.array?.first
            #expect(shown?["state"] == "done" && shown?["result"] == "made p7\n", "\(late ?? .null)")
        }
    }

    @Test("a person may change the arguments within the tool's schema; the model is told")
    func edits() async throws {
        let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)]), .text("done")])
        try await with(model, Self.restart) { test, marks in
            let run = try await run(test)
            _ = try await question(of: run, test)
            let wrong = try await test.say(.approve(step: "mend", value: ["pump": 8]), on: run, by: anna)
            #expect(wrong.result == .rejected && wrong.reason?.contains("arguments.pump") == true, "\(wrong)")
            _ = try await test.say(.approve(step: "mend", value: ["pump": "p8"]), on: run, by: anna)
            _ = try await test.framesToEnd(of: run)
            #expect(try FileManager.default.contentsOfDirectory(atPath: marks) == ["p8"])
            let told = model.lastMessages.last?["content"]?.string ?? ""
            #expect(told == "A person has changed the arguments to {\"pump\":\"p8\"}.\nmade p8\n", "\(told)")
        }
    }

    @Test("a denied call is not done, and the model goes on knowing why; a call after it asks anew")
    func denies() async throws {
        let call = ScriptedModel.Turn.calls([("restart", #"{"pump":"p7"}"#), ("restart", #"{"pump":"p9"}"#)])
        let model = ScriptedModel([call, .text("left alone")])
        try await with(model, Self.restart) { test, marks in
            let run = try await run(test)
            let first = try await question(of: run, test)
            _ = try await test.say(.deny(step: "mend", reason: "not now"), on: run, by: anna)
            let second = try await question(of: run, test, after: first.id)
            #expect(second.call?.value["id"] == "mend.1.1.2")
            _ = try await test.say(.approve(step: "mend", approval: second.id), on: run, by: anna)
            _ = try await test.framesToEnd(of: run)
            #expect(try FileManager.default.contentsOfDirectory(atPath: marks) == ["p9"])
            let told = model.lastMessages.suffix(2).map { $0["content"]?.string ?? "" }
            #expect(told == ["A person has denied this call: not now. It was not done.", "made p9\n"])
            #expect(try await test.hub.run(run).run.state == .succeeded)
        }
    }

    @Test("what is not granted, or breaks the schema, is never done, and the model is told why")
    func refuses() async throws {
        let model = ScriptedModel([
            .calls([
                ("rm", #"{"pump":"p7"}"#), ("status", #"{"pump":7}"#), ("status", "{"), ("status", ""),
                ("STATUS", #"{"pump":"p7"}"#),
            ]), .text("well then"),
        ])
        try await with(model, Self.status) { test, _ in
            let run = try await run(test)
            let frames = try await test.framesToEnd(of: run)
            let results = frames.filter { $0.draft.type == .toolCallResult }.map(\.draft.data.value)
            #expect(results.count == 5 && results.allSatisfy { $0["error"] == true })
            let said = results.map { $0["content"]?.string ?? "" }
            #expect(said[0] == "There is no tool rm. Tools: status." && said[1].contains("arguments.pump"))
            #expect(said[2] == "The arguments are not JSON." && said[3].contains("pump"))
            let audit = try await test.hub.audit(cursor: nil, limit: 99).items.map(\.action)
            #expect(audit.filter { $0 == "tool.refused" }.count == 5 && !audit.contains("tool.called"))
        }
    }

    @Test("an agent that calls where nothing is granted has not answered: nothing is done, all see it, the step fails")
    func nothingGranted() async throws {
        let model = ScriptedModel([.calls([("rm", "{}")]), .text("never asked")])
        try await with(model, "") { test, _ in
            let run = try await run(test)
            let frames = try await test.framesToEnd(of: run)
            let result = frames.first { $0.draft.type == .toolCallResult }?.draft.data.value
            #expect(result?["error"] == true && result?["content"] == "the step grants no tools")
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && steps[0].error?.code == "agent_failed")
            #expect(steps[0].error?.message.hasPrefix("the agent calls rm instead of answering") == true)
            let audit = try await test.hub.audit(cursor: nil, limit: 99).items.map(\.action)
            #expect(audit.contains("tool.refused"))
        }
    }

    @Test("an option cannot be smuggled into a command, and a tool that fails is told to the model alone")
    func dash() async throws {
        let model = ScriptedModel([
            .calls([("restart", #"{"pump":"--reference=/etc/shadow"}"#), ("restart", #"{"pump":"a/b"}"#)]), .text("hm"),
        ])
        try await with(model, Self.restart.replacing("input:", with: "approve: false, input:")) { test, marks in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            let told = model.lastMessages.suffix(2).map { $0["content"]?.string ?? "" }
            #expect(told[0].contains("begins with '-'") && told[1].contains("The tool has failed"), "\(told)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: marks).isEmpty)
            #expect(try await test.hub.run(run).run.state == .succeeded)
        }
    }

    @Test("a model in a loop is ended after its turns, and after its tokens")
    func loops() async throws {
        let again = ScriptedModel.Turn.calls([("status", #"{"pump":"p7"}"#)])
        for (step, asked) in [("turns: 3", 3), ("tokens: 20", 2)] {
            let model = ScriptedModel(Array(repeating: again, count: 9))
            try await with(model, Self.status, step: step) { test, _ in
                let run = try await run(test)
                _ = try await test.framesToEnd(of: run)
                let record = try await test.hub.run(run).run
                #expect(record.state == .failed && record.error?.code == "agent_limit", "\(step): \(record)")
                #expect(model.asked.count == asked, "\(step)")
            }
        }
    }

    @Test("an event that an agent makes is stored once, sets off rules, and counts a hop")
    func emits() async throws {
        let model = ScriptedModel([.calls([("raise", #"{"pump":"p7"}"#)]), .text("raised")])
        let raise =
            "- { tool: raise, about: Raises the alarm., emit: { type: pump.alarm, subject: \"pump {{input.pump}}\" }, input: \(Self.pump), approve: false }"
        try await with(model, raise) { test, _ in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            let events = try await test.hub.events(EventFilter(), limit: 9, cursor: nil).items.filter {
                $0.source == "belfry"
            }
            #expect(events.count == 1 && events.first?.type == "pump.alarm" && events.first?.hops == 1)
            let alarm = try #require(
                try await test.hub.runs(state: nil, rule: "alarm", limit: 9, cursor: nil).items.first)
            #expect(try await test.framesToEnd(of: alarm.id).text == "alarm p7")
        }
    }

    @Test("a target is asked with what the call says, encoded, and its answer and its failure reach the model")
    func asksTarget() async throws {
        let api = ScriptedServer { connection in
            while let request = connection.readRequest() {
                let isQuestion = request.hasPrefix("GET")
                connection.answer(
                    isQuestion ? "200 OK" : "422 Unprocessable", body: isQuestion ? "42 °C" : "no such pump")
            }
        }
        let model = ScriptedModel([
            .calls([("state", #"{"pump":"p7&x=1"}"#), ("set", #"{"pump":"p7"}"#)]), .text("so"),
        ])
        let tools = #"""
            - { tool: state, about: s, http: { to: plant, query: { pump: "{{input.pump}}" } }, input: PUMP }
            - { tool: set, about: s, http: { to: plant, body: { pump: "{{input.pump}}" } }, input: PUMP, approve: false }
            """#.replacing("PUMP", with: Self.pump)
        var target = SendTarget(.url(api.url + "/v1?of=plant"))
        target.allowsPrivateAddresses = true
        try await TestHub.with(documents: Self.documents(model, tools), targets: ["plant": target]) { test in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            let told = model.lastMessages.suffix(2).map { $0["content"]?.string ?? "" }
            #expect(told[0] == "42 °C" && told[1].contains("plant answered 422: no such pump"), "\(told)")
            let requests = api.record.requests
            #expect(requests.first?.hasPrefix("GET /v1?of=plant&pump=p7%26x%3D1 HTTP/1.1\r\n") == true)
            #expect(requests.last?.hasSuffix("\r\n\r\n{\"pump\":\"p7\"}") == true, "\(requests.last ?? "")")
            #expect(requests.allSatisfy { $0.lowercased().contains("belfry-hops: 1") })
        }
    }

    @Test("what a tool asks for and is not there is told to the model; the target gets messages all the same")
    func asksForWhatIsGone() async throws {
        let api = ScriptedServer { connection in
            while connection.readRequest() != nil { connection.answer("410 Gone", body: "no such pump") }
        }
        let model = ScriptedModel([.calls([("state", #"{"pump":"p7"}"#)]), .text("so")])
        let tools = #"""
            - { tool: state, about: s, http: { to: plant, query: { pump: "{{input.pump}}" } }, input: PUMP }
            """#.replacing("PUMP", with: Self.pump)
        var target = SendTarget(.url(api.url))
        target.allowsPrivateAddresses = true
        try await TestHub.with(documents: Self.documents(model, tools), targets: ["plant": target]) { test in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            #expect(model.lastMessages.last?["content"]?.string?.hasSuffix("answered 410: no such pump") == true)
            #expect(try await test.hub.targets().first?["enabled"] == true)
        }
    }

    @Test("once the step's time is over, nothing more of what was called is begun")
    func outOfTime() async throws {
        let model = ScriptedModel([.calls([("slow", #"{"pump":"p1"}"#), ("slow", #"{"pump":"p2"}"#)])])
        let slow = #"""
            - { tool: slow, about: s, command: [shell, "-c", 'touch "MARKS/$1"; sleep 30', x, "{{input.pump}}"], input: PUMP, approve: false }
            """#.replacing("PUMP", with: Self.pump)
        try await with(model, slow, step: "timeout: 4s") { test, marks in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            let (record, _) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .timeout, "\(record)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: marks) == ["p1"])
            let audit = try await test.hub.audit(cursor: nil, limit: 99).items.map(\.action)
            #expect(audit.filter { $0 == "tool.called" }.count == 1)
        }
    }

    @Test("stop and skip end a step that waits with a call, and withdraw the question")
    func cuts() async throws {
        for kind in [RunCommandKind.stop, .skip(step: "mend", output: "by hand")] {
            let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)])])
            try await with(model, Self.restart) { test, marks in
                let run = try await run(test)
                let question = try await question(of: run, test)
                #expect(try await test.say(kind, on: run, by: anna).result == .applied)
                _ = try await test.framesToEnd(of: run)
                #expect(try await test.hub.approval(question.id).decision == .void)
                #expect(try FileManager.default.contentsOfDirectory(atPath: marks).isEmpty)
                #expect(try await test.hub.run(run).steps[0].conversation == nil)
            }
        }
    }

    @Test("a hub that starts again still asks, and goes on with what was said before")
    func restarts() async throws {
        let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)]), .text("done")])
        let folder = try TestFolder()
        let documents = Self.documents(model, Self.restart.replacing("MARKS", with: folder.path))
        let (id, asked) = try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"], folder: folder) {
            test in
            let run = try await run(test)
            return (run, try await question(of: run, test).id)
        }
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"], folder: folder) { test in
            #expect(try await question(of: id, test).id == asked)
            #expect(try await test.say(.approve(step: "mend"), on: id, by: anna).result == .applied)
            _ = try await test.framesToEnd(of: id)
            let (record, steps) = try await test.hub.run(id)
            #expect(record.state == .succeeded && steps[0].output == "done" && steps[0].attempt == 1)
            #expect(model.lastMessages.map { $0["role"]?.string } == ["user", "assistant", "tool"])
        }
    }

    @Test("a question that nobody decides is a no to the model, and the run goes on")
    func expires() async throws {
        let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)]), .text("left alone")])
        try await with(model, Self.restart.replacing("input:", with: "expires: 1s, input:")) { test, marks in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            #expect(model.lastMessages.last?["content"] == "Nobody has allowed this call in time. It was not done.")
            #expect(try FileManager.default.contentsOfDirectory(atPath: marks).isEmpty)
            #expect(try await test.hub.run(run).run.state == .succeeded)
        }
    }

    @Test("a budget that is used up while a call was decided ends the run, and withdraws what else it asks")
    func budget() async throws {
        let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)]), .text("Nothing to do.")])
        let folder = try TestFolder()
        let documents = Self.documents(model, Self.restart.replacing("MARKS", with: folder.path))
            .replacing("when: { source: [lab] }", with: "when: { source: [lab] }\nlimits: { tokens_per_day: 100 }")
            .replacing(
                "run:\n  steps:\n    - step: mend",
                with: "run:\n  steps:\n  - parallel:\n    - { step: ask, approve: Well? }\n    - step: mend")
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"], folder: folder) { test in
            let run = try await run(test)
            _ = try await test.frames(of: run) { $0.draft.data.value["tool"] == "restart" }
            let other = try await self.run(test, #"{"pump":"\#(String(repeating: "p", count: 400))"}"#)
            _ = try await test.frames(of: other) {
                $0.draft.type == .stepFinished && $0.draft.data.value["step"] == "mend"
            }
            #expect(try await test.say(.approve(step: "mend"), on: run, by: anna).result == .applied)
            let frames = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .budget && model.asked.count == 2)
            #expect(steps.map(\.state) == [.stopped, .stopped], "\(steps)")
            #expect(try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.isEmpty)
            #expect(frames.filter { $0.draft.type == .approvalDecided }.count == 2)
        }
    }

    @Test("what a person is asked about a call is not changed by a parameter meanwhile")
    func parameters() async throws {
        let model = ScriptedModel([.calls([("restart", #"{"pump":"p7"}"#)]), .text("done")])
        let folder = try TestFolder()
        let tool = Self.restart.replacing("MARKS/$1", with: "\(folder.path)/$1$2")
            .replacing("x, \"{{input.pump}}\"", with: "x, \"{{input.pump}}\", \"{{params.suffix}}\"")
        let documents = Self.documents(model, tool)
            .replacing(
                "run:\n  steps:\n    - step: mend",
                with: "run:\n  params: { suffix: { type: string, default: a } }\n  steps:\n    - step: mend")
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"], folder: folder) { test in
            let run = try await run(test)
            _ = try await question(of: run, test)
            let adjust = RunCommandKind.adjust(RunAdjustment(params: ["suffix": "b"]))
            let refused = try await test.say(adjust, on: run, by: anna)
            #expect(refused.reason?.contains("waits for a decision about a call") == true, "\(refused)")
            _ = try await test.say(.approve(step: "mend"), on: run, by: anna)
            _ = try await test.framesToEnd(of: run)
            #expect(FileManager.default.fileExists(atPath: folder.path + "/p7a"))
        }
    }

    @Test("a step with tools and a schema may call, answer wrongly once, and mend it")
    func schema() async throws {
        let model = ScriptedModel([
            .calls([("status", #"{"pump":"p7"}"#)]), .text("hot!"), .text(#"{"state":"hot"}"#),
        ])
        let schema = "output: { schema: { type: object, properties: { state: { type: string } }, required: [state] } }"
        try await with(model, Self.status, step: schema) { test, _ in
            let run = try await run(test)
            _ = try await test.framesToEnd(of: run)
            #expect(try await test.hub.run(run).steps[0].output == #"{"state":"hot"}"#)
        }
    }
}
