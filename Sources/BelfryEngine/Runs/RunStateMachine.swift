import BelfryCore

/// The order in which a run's steps, its end and what operators say may follow each other. Pure: it decides, the
/// ``RunExecution`` performs.
///
/// Steps come stage by stage; those of one stage (`parallel:`) side by side. A stage is over when all of its steps are.
///
/// ```
/// pending ─▶ due ─▶ running ⇄ waiting ─▶ ended
///                      └▶ cutting ─────────┘     a step fails, or a stop: the others are cut, then the run ends
/// ```
struct RunStateMachine: Sendable {
    /// Where a step stands in the order of things.
    enum Phase: Equatable, Sendable {
        case pending
        /// Its turn has come; it was handed out by ``Action/consider(step:)``.
        case due
        case running
        /// For a person, a time or an event. Nothing runs.
        case waiting
        /// Told to end; its end is reported by ``ended(_:_:)``.
        case cutting(Cut)
        case ended

        var isOver: Bool { self == .ended }
    }

    /// Why a step is ended before its time.
    enum Cut: Equatable, Sendable { case stop, skip, restart }

    enum Action: Equatable, Sendable {
        /// To be begun, asked, or skipped.
        case consider(step: Int)
        /// End a step that runs.
        case cut(step: Int)
        /// A step that waits is stopped with the run.
        case abandon(step: Int)
        case end(RunState, EndReason)
    }

    /// How a step came to its end.
    enum StepEnd: Equatable, Sendable {
        /// The run goes on: it succeeded, was skipped, or its failure does not matter.
        case over
        case failed(EndReason)
        /// A person, or the time for one, has said no.
        case denied
        /// Cut, with the run.
        case stopped
    }

    /// What became of a command.
    enum Answer: Equatable, Sendable {
        case actions([Action])
        /// The run goes on as it is.
        case rejected(reason: String)
    }

    private struct Verdict: Equatable {
        var state: RunState
        var reason: EndReason
    }

    private(set) var phases: [Phase]
    private let stages: [Int]
    /// How the run ends once nothing of it is at work.
    private var verdict: Verdict?
    private(set) var end: RunState?
    /// No step's turn comes before.
    private(set) var hasBegun: Bool

    /// - Parameters:
    ///   - stages: the stage of each step, ascending.
    ///   - phases: of a run that goes on; nil: all are pending.
    ///   - hasBegun: it waits already, and nothing is to be begun.
    init(stages: [Int], phases: [Phase]? = nil, hasBegun: Bool = false) {
        self.stages = stages
        self.phases = phases ?? stages.map { _ in .pending }
        self.hasBegun = hasBegun
    }

    /// Whether a step runs, or is being ended.
    var isAtWork: Bool {
        phases.contains { phase in
            switch phase {
            case .running, .cutting, .due: true
            case .pending, .waiting, .ended: false
            }
        }
    }

    var isWaiting: Bool { !isAtWork && phases.contains(.waiting) }

    /// Whether the run is told to stop, or has failed, and some of it is still at work.
    var isEnding: Bool { verdict != nil && end == nil }

    /// Why a step is being cut; nil if it is not.
    func cut(of step: Int) -> Cut? { if case .cutting(let cut) = phases[step] { cut } else { nil } }

    // MARK: - Steps

    /// The run begins, or goes on.
    mutating func begin() -> [Action] {
        hasBegun = true
        return advance()
    }

    mutating func began(_ step: Int) { phases[step] = .running }

    mutating func waits(_ step: Int) { phases[step] = .waiting }

    /// What a step waited for is there, and it has more to do.
    mutating func resumed(_ step: Int) { phases[step] = .due }

    mutating func ended(_ step: Int, _ end: StepEnd) -> [Action] {
        phases[step] = .ended
        guard verdict == nil else { return advance() }
        switch end {
        case .over: return advance()
        case .failed(let reason): return conclude(Verdict(state: .failed, reason: reason))
        case .denied: return conclude(Verdict(state: .stopped, reason: .denied))
        case .stopped: return conclude(Verdict(state: .stopped, reason: .operator))
        }
    }

    /// A step that was cut to begin anew is gone.
    mutating func restarted(_ step: Int) -> [Action] {
        guard verdict == nil else { return ended(step, .stopped) }
        phases[step] = .due
        return [.consider(step: step)]
    }

    /// The run fails as a whole: what is at work is cut.
    mutating func fail(_ reason: EndReason) -> [Action] { conclude(Verdict(state: .failed, reason: reason)) }

    /// Everything comes to its end before the run has ended by itself: its rule's tokens are spent.
    mutating func finish(_ state: RunState) { end = state }

    // MARK: - Commands

    /// - Parameter cuts: whether a step that runs is ended at once; else it comes to its own end first.
    mutating func stop(_ reason: EndReason, cuts: (Int) -> Bool) -> Answer {
        if let end { return .rejected(reason: "already \(end.rawValue)") }
        let toCut = phases.indices.filter { step in
            switch phases[step] {
            case .running, .cutting(.skip), .cutting(.restart): cuts(step)
            case .pending, .due, .waiting, .cutting(.stop), .ended: false
            }
        }
        if verdict != nil, toCut.isEmpty { return .rejected(reason: "already stopping") }
        verdict = Verdict(state: .stopped, reason: reason)
        return .actions(endActive { toCut.contains($0) })
    }

    mutating func skip(_ step: Int) -> Answer {
        if let end { return .rejected(reason: "already \(end.rawValue)") }
        guard verdict == nil else { return .rejected(reason: "already stopping") }
        switch phases[step] {
        case .running:
            phases[step] = .cutting(.skip)
            return .actions([.cut(step: step)])
        case .pending, .due, .waiting: return .actions([])
        case .cutting: return .rejected(reason: "already being cut")
        case .ended: return .rejected(reason: "already over")
        }
    }

    /// Begins a running step anew, with what was changed.
    mutating func restart(_ step: Int) -> Answer {
        guard phases[step] == .running, verdict == nil else { return .rejected(reason: "it does not run") }
        phases[step] = .cutting(.restart)
        return .actions([.cut(step: step)])
    }

    // MARK: - What follows

    private mutating func conclude(_ verdict: Verdict) -> [Action] {
        self.verdict = verdict
        return endActive { _ in true }
    }

    /// Ends what is under way, and the run if nothing is.
    private mutating func endActive(cuts: (Int) -> Bool) -> [Action] {
        var actions: [Action] = []
        for step in phases.indices {
            switch phases[step] {
            case .running, .cutting(.skip), .cutting(.restart):
                guard cuts(step) else { continue }
                if phases[step] == .running { actions.append(.cut(step: step)) }
                phases[step] = .cutting(.stop)
            case .waiting:
                phases[step] = .ended
                actions.append(.abandon(step: step))
            case .due: phases[step] = .pending
            case .pending, .cutting(.stop), .ended: break
            }
        }
        return actions + advance()
    }

    private mutating func advance() -> [Action] {
        guard end == nil else { return [] }
        if let verdict {
            guard !isAtWork else { return [] }
            end = verdict.state
            return [.end(verdict.state, verdict.reason)]
        }
        guard hasBegun else { return [] }
        guard let first = phases.firstIndex(where: { !$0.isOver }) else {
            end = .succeeded
            return [.end(.succeeded, .completed)]
        }
        let due = phases.indices.filter { stages[$0] == stages[first] && phases[$0] == .pending }
        for step in due { phases[step] = .due }
        return due.map { .consider(step: $0) }
    }
}
