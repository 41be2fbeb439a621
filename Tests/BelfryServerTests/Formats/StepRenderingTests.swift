import BelfryCore
import Testing

@testable import BelfryServer

/// The text of one step, as it is and as chunks of a completion.
@Suite("renderings of one step", .timeLimit(.minutes(3)))
struct StepRenderingTests {
    private static let seeds = UInt64(0)..<120
    private static let heading = CompletionChunks.Heading(
        id: "run_x.s0", model: "oncall", created: Timestamp(seconds: 1_790_000_000))

    private func fresh(_ step: String, isText: Bool) -> RunRendering {
        isText
            ? .text(StepTextStateMachine(step: step))
            : .openAI(StepTextStateMachine(step: step), CompletionChunks(heading: Self.heading))
    }

    /// The text of the step's last attempt, or of the first that said anything, by the plainest rule.
    private func attempts(of step: String, in log: RunLog) -> [String] {
        var texts: [String] = []
        for frame in log.frames {
            let data = frame.draft.data.value
            guard data["step"]?.string == step else { continue }
            if frame.draft.type == .stepStarted, texts.last != "" { texts.append("") }
            if frame.draft.type == .textMessageContent { texts[texts.count - 1] += data["delta"]?.string ?? "" }
        }
        return texts
    }

    private struct Completion {
        var text = ""
        var finish: String?
        var error: String?
        var isDone = false
        var roles = 0

        init(_ pieces: [RenderedPiece]) throws {
            for piece in pieces {
                #expect(!isDone)
                if piece.data == Array("[DONE]".utf8) {
                    isDone = true
                    continue
                }
                #expect(finish == nil && error == nil)
                let chunk = try JSONValue(parsing: piece.data)
                error = chunk["error"]?["code"]?.string
                guard error == nil else { continue }
                #expect(chunk["object"]?.string == "chat.completion.chunk" && chunk["id"]?.string == heading.id)
                let choice = chunk["choices"]?.array?.first
                finish = choice?["finish_reason"]?.string
                if choice?["delta"]?["role"] != nil { roles += 1 }
                text += choice?["delta"]?["content"]?.string ?? ""
            }
        }
    }

    @Test("every step of every run: its text, and an end that says whether it is whole")
    func wholeRuns() throws {
        var ends: Set<String> = []
        for seed in Self.seeds {
            let log = RunLog(seed: seed, features: RunLog.Features(approvals: true, toolCalls: true))
            for (step, _) in log.steps {
                var chunks = fresh(step, isText: false)
                var text = fresh(step, isText: true)
                let completion = try Completion(log.frames.flatMap { chunks.pieces(for: $0) })
                let plain = log.frames.flatMap { text.pieces(for: $0) }.flatMap(\.data)
                let attempts = attempts(of: step, in: log)
                #expect(completion.text == String(decoding: plain, as: UTF8.self))
                #expect(completion.text == attempts.first ?? "", "seed \(seed)")
                #expect(completion.isDone && (completion.finish == "stop") != (completion.error != nil))
                #expect(completion.roles <= 1 && (completion.roles == 1) == !attempts.isEmpty)
                ends.insert(completion.error ?? "stop")
            }
        }
        #expect(
            ends == [
                "stop", "agent_failed", "interrupted", "step_stopped", "step_skipped", "step_restarted", "step_absent",
                "failed",
            ])
    }

    @Test(
        "cut at any place and resumed, chunks and text are those of a stream that was never cut",
        arguments: [false, true])
    func resume(isText: Bool) {
        for seed in Self.seeds {
            let log = RunLog(seed: seed)
            for (step, _) in log.steps {
                // Who asks for everything begins with the attempt that counts.
                var all = RenderingFold(fresh(step, isText: isText))
                for frame in log.frames { all.add(frame) }
                let frames = log.frames.filter { $0.position > all.start }
                var rendering = fresh(step, isText: isText)
                let whole = frames.map { rendering.pieces(for: $0) }
                var fold = RenderingFold(fresh(step, isText: isText))
                for frame in log.frames where frame.position <= all.start { fold.add(frame) }
                for cut in frames.indices {
                    fold.add(frames[cut])
                    var rest = fold.rendering
                    let resumed = frames[(cut + 1)...].map { rest.pieces(for: $0) }
                    #expect(Array(whole[...cut]) + resumed == whole, "seed \(seed), step \(step), cut \(cut)")
                }
            }
        }
    }

    @Test("who comes late gets the text so far in one piece, then the rest")
    func lateJoiners() throws {
        for seed in Self.seeds {
            let log = RunLog(seed: seed)
            let step = log.steps[0].name
            let attempts = attempts(of: step, in: log)
            var fold = RenderingFold(fresh(step, isText: false))
            for cut in log.frames.indices {
                fold.add(log.frames[cut])
                let opening = fold.opening(at: log.frames[cut].position)
                #expect(opening.filter { $0.id != nil }.count <= 1)
                #expect(opening.isEmpty || opening.contains { $0.id == log.frames[cut].position })
                var rest = fold.rendering
                let late = try Completion(
                    opening + log.frames[(cut + 1)...].flatMap { rest.pieces(for: $0) })
                #expect(late.isDone && late.roles <= 1)
                if late.finish != nil { #expect(late.text == attempts.last ?? "", "seed \(seed), cut \(cut)") }
            }
        }
    }

    @Test(
        "of a run whose first frames, or their text, are gone no text passes for whole that is not",
        arguments: [false, true])
    func goneFrames(isTextAlone: Bool) throws {
        var ends: Set<String> = []
        for seed in Self.seeds.prefix(40) {
            let log = RunLog(seed: seed)
            for (step, _) in log.steps {
                let attempts = attempts(of: step, in: log)
                for cut in log.frames.indices {
                    let floor = log.frames[cut].position
                    let kept = log.frames.filter { $0.position > floor || isTextAlone && $0.draft.topic == .runs }
                    let gap = Frame(
                        gapAt: floor, from: 0, to: floor, topics: [.run(log.run)], time: log.frames[0].draft.time)
                    var fold = RenderingFold(fresh(step, isText: false))
                    for frame in [gap] + kept { fold.add(frame) }
                    let completion = try Completion(fold.opening(at: floor))
                    if completion.finish != nil {
                        #expect(completion.text == attempts.last ?? "", "seed \(seed), step \(step), cut \(cut)")
                    }
                    #expect(completion.error != "step_absent")
                    ends.insert(completion.error ?? completion.finish ?? "open")
                }
            }
        }
        #expect(ends.isSuperset(of: ["stop", "step_incomplete"]))
    }

    @Test("who has what is gone goes on behind it, as if it were there")
    func resumesBehindGone() throws {
        for seed in Self.seeds.prefix(40) {
            let log = RunLog(seed: seed)
            for (step, _) in log.steps {
                for cut in log.frames.indices {
                    var whole = fresh(step, isText: true)
                    for frame in log.frames[...cut] { _ = whole.pieces(for: frame) }
                    guard !whole.isComplete else { continue }
                    var gone = RenderingFold(fresh(step, isText: true))
                    gone.resume()
                    var rest = gone.rendering
                    let tail = log.frames[(cut + 1)...]
                    // A step that begins anew says so only to who knows that it has begun.
                    let isBegun = tail.contains { frame in
                        frame.draft.type == .stepStarted && frame.draft.data.value["step"]?.string == step
                    }
                    guard !isBegun else { continue }
                    #expect(tail.flatMap { rest.pieces(for: $0) } == tail.flatMap { whole.pieces(for: $0) })
                }
            }
        }
    }

    @Test("the chunks, byte for byte, with the usage that the provider reported")
    func bytes() throws {
        var rendering = fresh("s", isText: false)
        func lines(_ type: FrameType, _ data: JSONValue) -> [String] {
            let draft = DraftFrame(time: Timestamp(milliseconds: 0), topic: .runs, type: type, data: RawJSON(data))
            return rendering.pieces(for: Frame(position: 9, draft: draft)).map {
                String(decoding: $0.data, as: UTF8.self)
            }
        }
        let head =
            #"{"id":"run_x.s0","object":"chat.completion.chunk","created":1790000000,"model":"oncall","choices":[{"index":0,"#
        #expect(lines(.stepStarted, ["step": "other"]).isEmpty)
        #expect(
            lines(.stepStarted, ["step": "s", "attempt": 1]) == [
                head + #""delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
            ])
        #expect(
            lines(.textMessageContent, ["step": "s", "delta": "Hi"]) == [
                head + #""delta":{"content":"Hi"},"finish_reason":null}]}"#
            ])
        let usage: JSONValue = ["input_tokens": 3, "output_tokens": 4]
        #expect(
            lines(.stepFinished, ["step": "s", "state": "succeeded", "usage": usage]) == [
                head + #""delta":{},"finish_reason":"stop"}],"#
                    + #""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#,
                "[DONE]",
            ])
    }
}
