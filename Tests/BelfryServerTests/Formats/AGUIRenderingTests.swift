import BelfryCore
import Testing

@testable import BelfryServer

/// What is rendered as AG-UI, held against a strict reader.
@Suite("AG-UI rendering", .timeLimit(.minutes(3)))
struct AGUIRenderingTests {
    private static let seeds = UInt64(0)..<120
    private static let everything = RunLog.Features(approvals: true, toolCalls: true)

    private func fresh(_ log: RunLog) -> RunRendering { .agui(AGUIStateMachine(run: log.run)) }

    private func pieces(_ frames: some Sequence<Frame>, _ rendering: inout RunRendering) -> [RenderedPiece] {
        frames.flatMap { rendering.pieces(for: $0) }
    }

    private func reader(of pieces: [RenderedPiece]) throws -> StrictAGUIReader {
        var reader = StrictAGUIReader()
        for piece in pieces { try reader.read(piece.data) }
        return reader
    }

    @Test("whatever a run does, its events are valid, say all it said, and end once", arguments: [false, true])
    func wholeRuns(withAll: Bool) throws {
        for seed in Self.seeds {
            let log = RunLog(seed: seed, features: withAll ? Self.everything : RunLog.Features())
            var rendering = fresh(log)
            let reader = try reader(of: pieces(log.frames, &rendering))
            #expect(rendering.isComplete)
            #expect(reader.phase == .finished || reader.phase == .failed)
            #expect(reader.thread == log.run.description)
            var said: [String: String] = [:]
            for frame in log.frames where frame.draft.type == .textMessageContent {
                let data = frame.draft.data.value
                said[data["messageId"]?.string ?? "", default: ""] += data["delta"]?.string ?? ""
            }
            #expect(reader.messages == said)
            let end = log.frames.last { $0.draft.type == .runFinished || $0.draft.type == .runError }
            let outcomes = ["succeeded": "success", "stopped": "cancelled", "expired": "cancelled"]
            let state = end?.draft.data.value["state"]?.string ?? ""
            #expect(reader.outcome.map { $0 == outcomes[state] } ?? (state == "failed"), "seed \(seed)")
        }
    }

    @Test("a frame comes to one event at most, also where an approval interrupts the run")
    func oneEventPerFrame() {
        for seed in Self.seeds {
            let log = RunLog(seed: seed, features: RunLog.Features(approvals: true))
            var rendering = fresh(log)
            for frame in log.frames {
                let pieces = rendering.pieces(for: frame)
                #expect(pieces.count <= 1 && pieces.allSatisfy { $0.id == frame.position }, "seed \(seed)")
            }
        }
    }

    @Test("cut behind any frame and resumed, the stream is the one that was never cut")
    func resume() {
        for seed in Self.seeds {
            let log = RunLog(seed: seed, features: Self.everything)
            var rendering = fresh(log)
            let whole = pieces(log.frames, &rendering)
            var fold = RenderingFold(fresh(log))
            for cut in log.frames.indices {
                fold.add(log.frames[cut])
                var rest = fold.rendering
                let position = log.frames[cut].position
                let seen = whole.prefix(1 + (whole.lastIndex { $0.id.map { $0 <= position } ?? false } ?? -1))
                #expect(Array(seen) + pieces(log.frames[(cut + 1)...], &rest) == whole, "seed \(seed), cut \(cut)")
            }
        }
    }

    @Test("who comes late gets a valid beginning with all that was said, goes on with it, and ends as everybody does")
    func lateJoiners() throws {
        for seed in Self.seeds {
            let log = RunLog(seed: seed, features: Self.everything)
            var rendering = fresh(log)
            let whole = pieces(log.frames, &rendering)
            let all = try reader(of: whole)
            var fold = RenderingFold(fresh(log))
            var early = fresh(log)
            var onTime = StrictAGUIReader()
            for cut in log.frames.indices {
                let position = log.frames[cut].position
                fold.add(log.frames[cut])
                for piece in early.pieces(for: log.frames[cut]) { try onTime.read(piece.data) }
                let opening = fold.opening(at: position)
                #expect(opening.dropLast().allSatisfy { $0.id == nil } && opening.last?.id == position)
                let late = try reader(of: opening)
                #expect(late.content == onTime.content && late.phase == onTime.phase, "seed \(seed), cut \(cut)")
                #expect(late.openMessages == onTime.openMessages && late.openSteps == onTime.openSteps)
                #expect(late.state == onTime.state && late.openCalls == onTime.openCalls)
                var rest = fold.rendering
                let end = try reader(of: opening + pieces(log.frames[(cut + 1)...], &rest))
                #expect(end.content == all.content && end.phase == all.phase && end.outcome == all.outcome)
            }
        }
    }

    @Test(
        "of a run whose first frames, or their text, are gone the events are valid, and say so first",
        arguments: [false, true])
    func goneFrames(isTextAlone: Bool) throws {
        for seed in Self.seeds.prefix(40) {
            let log = RunLog(seed: seed, features: Self.everything)
            for cut in log.frames.indices {
                let floor = log.frames[cut].position
                let kept = log.frames.filter { $0.position > floor || isTextAlone && $0.draft.topic == .runs }
                let gap = Frame(
                    gapAt: floor, from: 0, to: floor, topics: [.run(log.run)], time: log.frames[0].draft.time)
                for late in [0, kept.count / 2, kept.count] {
                    var fold = RenderingFold(fresh(log))
                    for frame in [gap] + kept.prefix(late) { fold.add(frame) }
                    let opening = fold.opening(at: floor)
                    var rest = fold.rendering
                    let reader = try reader(of: opening + pieces(kept.dropFirst(late), &rest))
                    let types = try opening.map { try JSONValue(parsing: $0.data)["type"]?.string ?? "" }
                    #expect(types.first == "RUN_STARTED")
                    #expect(try opening.contains { try JSONValue(parsing: $0.data)["name"]?.string == "belfry.gap" })
                    let hasEnd = kept.contains { $0.draft.type == .runFinished || $0.draft.type == .runError }
                    #expect(
                        (reader.phase == .finished || reader.phase == .failed) == hasEnd, "seed \(seed), cut \(cut)")
                }
            }
        }
    }

    @Test("a run that waits for an answer says what is missing too")
    func gapWhileWaiting() throws {
        let log = try #require(
            Self.seeds.lazy.map { RunLog(seed: $0, features: Self.everything) }
                .first { $0.frames.contains { $0.draft.type == .approvalRequested } })
        let asked = try #require(log.frames.firstIndex { $0.draft.type == .approvalRequested })
        var rendering = fresh(log)
        var all = pieces(log.frames[...asked], &rendering)
        let position = log.frames[asked].position
        let gap = Frame(gapAt: position, from: 1, to: position, topics: [.run(log.run)], time: log.frames[0].draft.time)
        let said = rendering.pieces(for: gap)
        #expect(said.contains { String(decoding: $0.data, as: UTF8.self).contains(#""belfry.gap""#) })
        all += said + pieces(log.frames[(asked + 1)...], &rendering)
        _ = try reader(of: all)
    }

    @Test("frames in any order give events that are valid")
    func anyOrder() throws {
        for seed in Self.seeds {
            var random = SeededGenerator(seed: seed)
            let log = RunLog(seed: seed, features: Self.everything)
            let frames = log.frames.shuffled(using: &random)
            var rendering = fresh(log)
            _ = try reader(of: pieces(frames, &rendering))
        }
    }

    @Test("an approval ends the run of AG-UI with its question, and the decision opens the next")
    func approval() throws {
        var machine = AGUIStateMachine(run: RunLog(seed: 1).run)
        func events(_ type: FrameType, _ data: JSONValue) -> [JSONValue] {
            let draft = DraftFrame(
                time: Timestamp(milliseconds: 5), topic: .runs, rule: "r", type: type, data: RawJSON(data))
            return machine.events(for: Frame(position: 1, draft: draft)).map { RawJSON(trusted: $0.json).value }
        }
        let run = RunLog(seed: 1).run.description
        #expect(
            events(.runState, ["state": "queued"]) == [
                [
                    "type": "RUN_STARTED", "threadId": .string(run), "runId": .string(run + ".1"),
                    "protocolVersion": "1.0", "timestamp": 5, "metadata": ["belfry": ["state": "queued"]],
                ]
            ])
        #expect(
            events(.stepStarted, ["step": "ask", "kind": "approve"]).first?["name"]?.string == "belfry.step_started")
        let request: JSONValue = [
            "step": "ask", "approval": "apr_1", "message": "Sure?", "schema": ["type": "boolean"], "expires": "soon",
        ]
        let interrupt: JSONValue = [
            "id": "apr_1", "reason": "approval", "message": "Sure?", "expiresAt": "soon",
            "responseSchema": ["type": "boolean"],
        ]
        #expect(
            events(.approvalRequested, request).first?["outcome"] == [
                "type": "interrupt", "interrupts": .array([interrupt]),
            ])
        #expect(events(.runState, ["state": "waiting"]).isEmpty)
        #expect(events(.notice, ["kind": "approval_expiring"]).isEmpty)
        #expect(events(.command, ["kind": "approve"]).isEmpty)
        #expect(events(.approvalDecided, ["decision": "approve"]).first?["runId"]?.string == run + ".2")
        #expect(events(.runState, ["state": "running"]).first?["type"]?.string == "STATE_SNAPSHOT")
    }

    @Test("a step that asks about a call is interrupted with its run, and is open again in the next")
    func callQuestion() throws {
        var machine = AGUIStateMachine(run: RunLog(seed: 1).run)
        func types(_ type: FrameType, _ data: JSONValue) -> [String?] {
            let draft = DraftFrame(
                time: Timestamp(milliseconds: 5), topic: .runs, rule: "r", type: type, data: RawJSON(data))
            return machine.events(for: Frame(position: 1, draft: draft)).map {
                RawJSON(trusted: $0.json).value["type"]?.string
            }
        }
        _ = types(.runStarted, [:])
        #expect(types(.stepStarted, ["step": "s"]) == ["STEP_STARTED"])
        #expect(types(.toolCallStart, ["step": "s", "toolCallId": "1"]) == ["TOOL_CALL_START"])
        #expect(types(.toolCallEnd, ["step": "s", "toolCallId": "1"]) == ["TOOL_CALL_END"])
        #expect(
            types(.approvalRequested, ["step": "s", "approval": "a", "toolCallId": "1"])
                == ["STEP_FINISHED", "RUN_FINISHED"])
        #expect(types(.approvalDecided, ["step": "s", "approval": "a", "decision": "approve"]) == ["RUN_STARTED"])
        #expect(types(.stepState, ["step": "s", "state": "running"]) == ["STEP_STARTED"])
        #expect(types(.stepState, ["step": "s", "state": "running", "toolCallId": "1"]) == ["CUSTOM"])
        #expect(types(.toolCallResult, ["step": "s", "toolCallId": "1", "content": "x"]) == ["TOOL_CALL_RESULT"])
        #expect(types(.stepFinished, ["step": "s", "state": "succeeded"]) == ["STEP_FINISHED"])
    }
}
