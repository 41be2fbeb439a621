import BelfryCore
import Testing

@testable import BelfryEngine

/// What who comes late is told of the tools that an agent has called.
struct RunSnapshotTests {
    private let run = RunID(at: Timestamp(seconds: 1), bits: (1, 1))

    /// The only step as the snapshot of these frames has it.
    private func step(_ frames: [(FrameType, JSONObject)]) throws -> JSONValue {
        var snapshot = RunSnapshot(run: run)
        for (index, (type, members)) in frames.enumerated() {
            var data: JSONObject = ["step": "mend"]
            for member in members.members { data[member.key] = member.value }
            let draft = DraftFrame(
                time: Timestamp(seconds: 1), topic: .run(run), run: run, rule: "r", type: type,
                data: RawJSON(.object(data)))
            snapshot.add(Frame(position: Int64(index + 1), draft: draft))
        }
        return try #require(snapshot.json.value["steps"]?.array?.first)
    }

    private let begin: [(FrameType, JSONObject)] = [
        (.stepStarted, ["attempt": 1]), (.textMessageContent, ["delta": "Heiß: "]),
    ]

    private func call(_ id: String, _ deltas: String...) -> [(FrameType, JSONObject)] {
        [(.toolCallStart, ["toolCallId": .string(id), "toolCallName": "restart"])]
            + deltas.map { (.toolCallArgs, ["toolCallId": .string(id), "delta": .string($0)]) }
    }

    private func states(_ step: JSONValue) -> [String?] { (step["calls"]?.array ?? []).map { $0["state"]?.string } }

    @Test("a call that is being written is there as far as it is known, at its place in the text")
    func asked() throws {
        let step = try step(begin + call("1", #"{"pump":"#, #""p7"#))
        #expect(step["text"] == "Heiß: ")
        #expect(
            step["calls"] == [
                [
                    "toolCallId": "1", "toolCallName": "restart", "state": "asked", "at": 7,
                    "arguments": #"{"pump":"p7"#,
                ]
            ])
    }

    @Test("a call is asked, at work, done or failed; one whose attempt ends before it is answered is cut")
    func life() throws {
        let called = begin + call("1", "{}") + call("2", "{}") + [(.toolCallEnd, ["toolCallId": "1"])]
        #expect(states(try step(called)) == ["asked", "asked"])
        let working = called + [(.stepState, ["state": "running", "toolCallId": "1"])]
        #expect(states(try step(working)) == ["working", "asked"])
        let done = working + [(.toolCallResult, ["toolCallId": "1", "content": "made"])]
        #expect(states(try step(done)) == ["done", "asked"])
        let denied: [(FrameType, JSONObject)] = [
            (.toolCallResult, ["toolCallId": "2", "content": "denied", "error": true])
        ]
        #expect(states(try step(done + denied)) == ["done", "failed"])
        #expect(try step(done + denied)["calls"]?.array?.last?["result"] == "denied")
        let ends: [(FrameType, JSONObject)] = [
            (.stepFinished, ["state": "stopped"]), (.stepState, ["state": "waiting", "for": "retry"]),
        ]
        for end in ends { #expect(states(try step(done + [end])) == ["done", "cut"]) }
        let waits = done + [(.stepState, ["state": "waiting", "for": "approval"])]
        #expect(states(try step(waits)) == ["done", "asked"])
        #expect(try step(done + [(.stepStarted, ["attempt": 2])])["calls"] == nil)
    }

    @Test("the arguments are those that a person has allowed")
    func changed() throws {
        let question: (FrameType, JSONObject) = (.approvalRequested, ["approval": "apr_1", "toolCallId": "1"])
        func decided(_ decision: String) throws -> JSONValue? {
            let verdict: (FrameType, JSONObject) = (
                .approvalDecided, ["approval": "apr_1", "decision": .string(decision), "value": ["pump": "p8"]]
            )
            return try step(begin + call("1", #"{"pump":"p7"}"#) + [question, verdict])["calls"]?.array?.first?[
                "arguments"]
        }
        #expect(try decided("approve") == #"{"pump":"p8"}"#)
        #expect(try decided("void") == #"{"pump":"p7"}"#)
    }

    @Test("of many calls the last are shown, and of long ones the beginning, with how long they are")
    func bounds() throws {
        let long = String(repeating: "é", count: Limits.snapshotCallBytesMax)
        var frames = begin
        for number in 0..<(Limits.snapshotCallsMax + 5) {
            frames += call("\(number)", long, "more")
            frames += [(.toolCallResult, ["toolCallId": .string("\(number)"), "content": .string(long)])]
        }
        let step = try step(frames)
        let calls = step["calls"]?.array ?? []
        #expect(calls.count == Limits.snapshotCallsMax && step["calls_dropped"] == 5)
        #expect(calls.first?["toolCallId"] == "5")
        for (name, bytes) in [
            ("arguments", 2 * Limits.snapshotCallBytesMax + 4), ("result", 2 * Limits.snapshotCallBytesMax),
        ] {
            #expect(calls.allSatisfy { $0[name]?.string?.utf8.count == Limits.snapshotCallBytesMax })
            #expect(calls.allSatisfy { $0["\(name)_bytes"] == .int(bytes) })
        }
    }
}
