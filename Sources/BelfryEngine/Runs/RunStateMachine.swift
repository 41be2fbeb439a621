import BelfryCore

/// The order in which a run's steps, its end and an operator's stop may follow each other. Pure: it decides, the
/// ``RunExecution`` performs.
///
/// ```
/// begin ─▶ performing(0) ─▶ performing(1) ─▶ … ─▶ ended(succeeded)
///              │ its condition does not hold ─▶ the next one
///              │ a step fails ────────────────────▶ ended(failed)
///              ├ stop ─▶ stopping ─ step gone ────▶ ended(stopped)
///              └ stop after the step ─▶ finishing ─▶ ended(stopped)
/// ```
struct RunStateMachine: Sendable {
    enum State: Equatable, Sendable {
        case ready(firstStep: Int)
        case performing(step: Int)
        case stopping(step: Int, EndReason)
        /// Told to stop, and the step that runs is not to be cut.
        case finishing(step: Int, EndReason)
        case ended(RunState)
    }

    enum Action: Equatable, Sendable {
        case perform(step: Int)
        /// Cut the step that runs; its end is reported by ``stepEnded(_:)``.
        case cut(step: Int)
        case end(RunState, EndReason)
        /// The run goes on as it is, the command is refused.
        case reject(reason: String)
        case ignore
    }

    /// How a step came to its end.
    enum StepEnd: Equatable, Sendable {
        case succeeded
        case failed(EndReason)
        /// Not begun: its condition did not hold.
        case skipped
        /// Cut by a stop.
        case stopped
    }

    private(set) var state: State
    private let stepCount: Int

    /// - Parameter firstStep: the step to begin with; later than 0 when a run goes on after a restart of the hub.
    init(stepCount: Int, firstStep: Int = 0) {
        self.stepCount = stepCount
        state = .ready(firstStep: firstStep)
    }

    /// Whether the step that runs is being cut.
    var isCutting: Bool { if case .stopping = state { true } else { false } }

    mutating func begin() -> Action {
        guard case .ready(let step) = state else { return .ignore }
        return advance(to: step)
    }

    mutating func stepEnded(_ end: StepEnd) -> Action {
        switch (state, end) {
        case (.performing(let step), .succeeded), (.performing(let step), .skipped):
            return advance(to: step + 1)
        case (.performing, .failed(let reason)):
            state = .ended(.failed)
            return .end(.failed, reason)
        case (.stopping(_, let reason), _), (.finishing(_, let reason), _):
            // Even a step that succeeded just before it was cut: the stop was committed first.
            state = .ended(.stopped)
            return .end(.stopped, reason)
        case (.performing, .stopped):
            state = .ended(.stopped)
            return .end(.stopped, .operator)
        case (.ready, _), (.ended, _):
            return .ignore
        }
    }

    /// An operator's word cuts the step that runs, whatever it is.
    mutating func stop() -> Action { stop(.operator, cutsStep: true) }

    /// - Parameter cutsStep: else the step that runs comes to its own end first.
    mutating func stop(_ reason: EndReason, cutsStep: Bool) -> Action {
        switch state {
        case .ready:
            state = .ended(.stopped)
            return .end(.stopped, reason)
        case .performing(let step) where !cutsStep:
            state = .finishing(step: step, reason)
            return .ignore
        case .finishing where !cutsStep:
            return .ignore
        case .performing(let step), .finishing(let step, _):
            state = .stopping(step: step, reason)
            return .cut(step: step)
        case .stopping:
            return .reject(reason: "already stopping")
        case .ended(let end):
            return .reject(reason: "already \(end.rawValue)")
        }
    }

    /// The run was told to stop before the step it was about to perform began.
    mutating func stopBeforeStep(_ reason: EndReason) -> Action {
        state = .ended(.stopped)
        return .end(.stopped, reason)
    }

    private mutating func advance(to step: Int) -> Action {
        guard step < stepCount else {
            state = .ended(.succeeded)
            return .end(.succeeded, .completed)
        }
        state = .performing(step: step)
        return .perform(step: step)
    }
}
