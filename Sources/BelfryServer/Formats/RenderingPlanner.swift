import BelfryCore
import BelfryEngine
import BelfryStore

/// Works out what a stream of one run begins with that is not a stream of frames.
///
/// What comes next depends on what came before, so the run's frames up to the reader's position are folded first. A
/// reader without a position gets the state so far, made of the same fold.
struct RenderingPlanner: Sendable {
    private typealias Step = (name: String, agent: String?)

    let hub: Hub
    let clock: WallClock

    /// - Returns: nil if the reader has everything there will be.
    func plan(
        _ run: RunRecord, as format: StreamFormat, step: String?, at position: StreamPosition
    ) async throws(BelfryError) -> StreamPlan? {
        let step = format.isOfOneStep ? try await self.step(of: run, named: step) : try Self.checkNone(step, format)
        let rendering = rendering(of: run, as: format, step)
        // Read after the run: one that has ended has all its frames at or before it.
        let head = hub.head
        // Up to there frames of the run are gone.
        let floor =
            try await hub.frames(after: 0, through: head, topics: [.run(run.id)], max: 1).floors.values.max() ?? 0
        var plan = StreamPlan(topics: [.run(run.id)], after: head, run: run.id, rendering: rendering)
        var gap: Frame?
        switch position {
        case .after(0) where floor == 0:
            let start = format.isOfOneStep ? try await fold(run, rendering, through: head).start : 0
            plan.after = start
            plan.end = run.state.isEnded ? head : nil
            return plan
        // Of a run whose first frames are gone everything is the state so far.
        case .now, .after(0): break
        case .after(let position) where position >= floor && position <= head:
            var fold = try await fold(run, rendering, through: position)
            guard !fold.rendering.isComplete else { return nil }
            if floor > 0, run.state.isEnded, try await hub.isSilent(run.id, after: position, through: head) {
                return nil
            }
            // What its events were so far is not known without the frames that are gone.
            guard floor == 0 || format.isOfOneStep else {
                gap = self.gap(from: position, to: head, run)
                break
            }
            if floor > 0 { fold.resume() }
            plan.rendering = fold.rendering
            plan.after = position
            plan.end = run.state.isEnded ? head : nil
            return plan
        case .after(let position): gap = self.gap(from: position, to: head, run)
        case .unreadable: gap = self.gap(from: nil, to: head, run)
        }
        guard gap == nil || !format.isOfOneStep else {
            throw BelfryError(
                .malformed, "there is no way to go on from that position; ask for the text without a position")
        }
        let isGone = floor > 0 ? try await hasBegun(step, of: run) : false
        var fold = try await fold(run, rendering, through: head, goneThrough: isGone ? floor : 0)
        // Its last frames may be gone.
        if run.state.isEnded, !fold.rendering.isComplete { fold.add(run.lastFrame(at: head)) }
        plan.rendering = fold.rendering
        plan.renderedPreamble = fold.opening(at: head, gap: gap)
        plan.end = fold.rendering.isComplete ? head : nil
        return plan
    }

    private static func checkNone(_ step: String?, _ format: StreamFormat) throws(BelfryError) -> Step? {
        guard step == nil else {
            throw BelfryError(
                .malformed, "a step is named with format=openai or format=text; \(format.rawValue) is of the run")
        }
        return nil
    }

    /// - Parameter name: nil: the last step that asks an agent.
    private func step(of run: RunRecord, named name: String?) async throws(BelfryError) -> Step {
        let steps = try await hub.steps(of: run)
        let names = steps.map(\.name).joined(separator: ", ")
        let step =
            if let name { steps.first { $0.name.hasSameBytes(as: name) } } else { steps.last { $0.agent != nil } }
        guard let step else {
            let reason =
                name.map { "the run has no step \"\($0.prefix(Limits.nameBytesMax))\"; its steps: \(names)" }
                ?? "no step of the run asks an agent; name one of its steps with ?step=: \(names)"
            throw BelfryError(.notFound, reason)
        }
        return step
    }

    /// Whether something can be gone: of a step that has not begun there is nothing.
    private func hasBegun(_ step: Step?, of run: RunRecord) async throws(BelfryError) -> Bool {
        guard let step else { return true }
        return try await hub.run(run.id).steps.contains { $0.name.hasSameBytes(as: step.name) && $0.attempt > 0 }
    }

    /// A rendering that has seen nothing.
    private func rendering(of run: RunRecord, as format: StreamFormat, _ step: Step?) -> RunRendering {
        guard let step else { return .agui(AGUIStateMachine(run: run.id)) }
        let machine = StepTextStateMachine(step: step.name)
        guard format == .openAI else { return .text(machine) }
        let heading = CompletionChunks.Heading(
            id: "\(run.id).\(step.name)", model: step.agent ?? step.name, created: run.created)
        return .openAI(machine, CompletionChunks(heading: heading))
    }

    private func gap(from position: Int64?, to head: Int64, _ run: RunRecord) -> Frame {
        Frame(gapAt: head, from: position, to: head, topics: [.run(run.id)], time: clock.now())
    }

    /// - Parameter floor: frames up to there are gone, which the reader is to be told.
    private func fold(
        _ run: RunRecord, _ rendering: RunRendering, through bound: Int64, goneThrough floor: Int64 = 0
    ) async throws(BelfryError) -> RenderingFold {
        var fold = RenderingFold(rendering)
        if floor > 0 {
            fold.add(Frame(gapAt: floor, from: 0, to: floor, topics: [.run(run.id)], time: run.created))
        }
        var position: Int64 = 0
        while position < bound {
            let page = try await hub.frames(
                after: position, through: bound, topics: [.run(run.id)], max: Limits.replayFramesMax)
            for frame in page.frames { fold.add(frame) }
            position = page.through
        }
        return fold
    }
}

extension RunRecord {
    /// How it ended, as its last frame says it.
    fileprivate func lastFrame(at position: Int64) -> Frame {
        var data: JSONObject = ["state": .string(state.rawValue), "reason": .optional(reason?.rawValue)]
        if let error { data["error"] = error.json }
        let draft = DraftFrame(
            time: ended ?? created, topic: .runs, run: id, rule: rule,
            type: state == .failed ? .runError : .runFinished, data: RawJSON(.object(data))
        )
        return Frame(position: position, draft: draft)
    }
}
