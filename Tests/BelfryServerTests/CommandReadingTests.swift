import BelfryCore
import BelfryEngine
import Testing

@testable import BelfryServer

/// One reading of operators' commands, however they come in.
struct CommandReadingTests {
    private let run = RunID(at: Timestamp(milliseconds: 1), bits: (1, 2))
    private let approval = ApprovalID(at: Timestamp(milliseconds: 1), bits: (3, 4))
    private let command = CommandID(at: Timestamp(milliseconds: 1), bits: (5, 6))

    private func call(_ method: String, _ params: JSONObject) -> Result<WebSocketCommand, JSONRPCFault> {
        var params = params
        if method.hasPrefix("run.") { params["run"] = .string(run.description) }
        return Result { () throws(JSONRPCFault) in
            try WebSocketCommand(JSONRPCCall(id: .int(1), method: method, params: .object(params)))
        }
    }

    @Test("what can be said is read whole")
    func whole() throws {
        func kind(_ method: String, _ params: JSONObject) throws -> OperatorCommand.Order? {
            guard case .operate(let command) = try call(method, params).get() else { return nil }
            return command.order
        }
        #expect(try kind("run.stop", [:]) == .run(run, .stop))
        #expect(try kind("run.skip", ["step": "say"]) == .run(run, .skip(step: "say", output: nil)))
        #expect(
            try kind("run.skip", ["step": "say", "output": ["a": 1]])
                == .run(run, .skip(step: "say", output: ["a": 1])))
        let adjustment = RunAdjustment(
            params: ["tone": .null],
            steps: [
                "say": RunAdjustment.Step(prompt: .some("new"), agent: ["temperature": 1]),
                "tell": RunAdjustment.Step(prompt: .some(nil)),
            ], restarts: true)
        #expect(try kind("run.adjust", try #require(adjustment.json.object)) == .run(run, .adjust(adjustment)))
        #expect(try kind("run.retry", [:]) == .retry(run, from: nil, latest: false))
        #expect(
            try kind("run.retry", ["from": "say", "latest": true]) == .retry(run, from: "say", latest: true))
        #expect(try kind("runs.stop", [:]) == .stopAll(rule: nil))
        #expect(try kind("runs.stop", ["rule": "talk"]) == .stopAll(rule: "talk"))
        let asked: JSONValue = .string(approval.description)
        #expect(
            try kind("approval.decide", ["approval": asked, "decision": "approve", "value": ["n": 1]])
                == .approval(approval, .approve(value: ["n": 1])))
        #expect(
            try kind("approval.decide", ["approval": asked, "decision": "deny", "reason": "no"])
                == .approval(approval, .deny(reason: "no")))
        #expect(
            try call("run.stop", ["command_id": .string(command.description)]).get()
                == .operate(OperatorCommand(order: .run(run, .stop), id: command)))
    }

    @Test(
        "what can't be said is refused, and says what can be",
        arguments: [
            ("run.stop", ["why": 1], "\"why\" is not known here; there are: command_id, run"),
            ("run.stop", ["command_id": "x"], "command_id must be"),
            ("run.stop", ["command_id": .null], "command_id must be"),
            ("run.skip", [:], "step must be the name of a step"), ("run.skip", ["step": 1], "step must be"),
            ("run.skip", ["step": "a", "outptu": 1], "command_id, output, run, step"),
            ("run.adjust", ["params": []], "params must be an object"),
            ("run.adjust", ["steps": .null], "steps must be an object"),
            ("run.adjust", ["steps": ["a": "text"]], "steps.a must be an object of prompt and agent"),
            ("run.adjust", ["steps": ["a": ["promt": "x"]]], "agent, prompt"),
            ("run.adjust", ["steps": ["a": ["prompt": 1]]], "prompt must be a text, or null"),
            ("run.adjust", ["steps": ["a": ["agent": "x"]]], "agent must be an object"),
            ("run.adjust", ["restart": "yes"], "restart must be true or false"),
            ("run.adjust", ["params": ["a": .string(String(repeating: "x", count: 65_536))]], "at most 65536 bytes"),
            ("run.retry", ["from": 1], "from must be the name of a step"),
            ("run.retry", ["latest": "yes"], "latest must be true or false"),
            ("run.retry", ["step": "say"], "command_id, from, latest, run"),
            ("runs.stop", ["rule": 1], "rule must be the name of a rule"),
            ("runs.stop", ["rules": "a"], "command_id, rule"),
            ("approval.decide", ["decision": "approve"], "approval must be an id"),
            ("approval.decide", ["approval": "apr_x", "decision": "approve"], "approval must be an id"),
            ("approval.decide", ["approval": "ID"], "decision must be approve or deny"),
            ("approval.decide", ["approval": "ID", "decision": "yes"], "decision must be approve or deny"),
            ("approval.decide", ["approval": "ID", "decision": "approve", "reason": "x"], "\"reason\" is not known"),
            ("approval.decide", ["approval": "ID", "decision": "deny", "value": 1], "\"value\" is not known"),
            ("approval.decide", ["approval": "ID", "decision": "deny", "reason": 1], "reason must be a text"),
            (
                "approval.decide",
                ["approval": "ID", "decision": "deny", "reason": .string(String(repeating: "x", count: 2048))],
                "at most 2048 bytes"
            ),
        ] as [(String, JSONObject, String)])
    func refused(method: String, params: JSONObject, part: String) {
        var params = params
        if params["approval"] == "ID" { params["approval"] = .string(approval.description) }
        guard case .failure(let fault) = call(method, params) else { return #expect(Bool(false), "\(params)") }
        #expect(fault.code == .invalidParams)
        #expect(fault.message.contains(part), "\(fault.message)")
    }

    @Test("a run's id is asked for, and unknown methods name those there are")
    func others() {
        for params: JSONValue in [[:], ["run": "run_x"], ["run": 1]] {
            let result = Result { () throws(JSONRPCFault) in
                try WebSocketCommand(JSONRPCCall(id: .int(1), method: "run.skip", params: params))
            }
            guard case .failure(let fault) = result else { return #expect(Bool(false)) }
            #expect(fault.code == .invalidParams && fault.message.contains("run must be an id"))
        }
        for method in ["run.", "run.approve", "run.Stop", "approval.list", "approvals.decide"] {
            guard case .failure(let fault) = call(method, [:]) else { return #expect(Bool(false)) }
            #expect(fault.code == .methodNotFound)
            #expect(
                fault.message.contains(
                    "run.stop, run.skip, run.adjust, run.retry, run.start, runs.stop, approval.decide, ping"))
        }
    }
}
