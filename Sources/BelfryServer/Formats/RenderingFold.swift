import BelfryCore

/// The frames of a run before the place where a reader begins: what it has seen of them, or would have seen.
struct RenderingFold: Sendable {
    /// As a reader has it that was given all frames so far.
    private(set) var rendering: RunRendering
    /// Everything that a reader who asks for everything gets stands behind this position: the attempts of a step before
    /// the last have no place in its text.
    private(set) var start: Int64 = 0
    /// Up to there frames are gone.
    private var goneThrough: Int64 = 0
    private var history = AGUIHistory()
    private var text = ""

    /// - Parameter rendering: one that has seen nothing.
    init(_ rendering: RunRendering) { self.rendering = rendering }

    mutating func add(_ frame: Frame) {
        switch rendering {
        case .agui(var machine):
            for event in machine.events(for: frame) { history.add(event) }
            rendering = .agui(machine)
        case .openAI(var machine, let chunks):
            add(frame, to: &machine)
            rendering = .openAI(machine, chunks)
        case .text(var machine):
            add(frame, to: &machine)
            rendering = .text(machine)
        }
    }

    /// From here on it is of a reader who has all frames so far, also those that are gone.
    mutating func resume() {
        switch rendering {
        case .agui: break
        case .openAI(let machine, let chunks): rendering = .openAI(machine.resumed(), chunks)
        case .text(let machine): rendering = .text(machine.resumed())
        }
    }

    private mutating func add(_ frame: Frame, to machine: inout StepTextStateMachine) {
        if frame.draft.type == .gap { goneThrough = max(goneThrough, frame.draft.data.value["to"]?.number?.int64 ?? 0) }
        // An attempt of which nothing is gone follows one that is not whole.
        if machine.end == .incomplete, frame.draft.type == .stepStarted, frame.position > goneThrough,
            frame.draft.data.value["step"]?.string == machine.step
        {
            text = ""
            machine = StepTextStateMachine(step: machine.step)
        }
        switch machine.output(for: frame) {
        case .began(let delta)?, .text(let delta)?: text += delta
        case .ended(.restarted)?:
            start = frame.position - 1
            text = ""
            machine = StepTextStateMachine(step: machine.step)
            _ = machine.output(for: frame)
        case .ended?, nil: break
        }
    }

    /// What tells a reader without a position of all so far.
    /// - Parameters:
    ///   - position: up to here frames were added.
    ///   - gap: says that the reader asked for a position that leads nowhere.
    func opening(at position: Int64, gap: Frame? = nil) -> [RenderedPiece] {
        switch rendering {
        case .agui:
            var history = history
            if let gap { history.add(gap: gap) }
            return RunRendering.pieces(history.events.map(\.json), at: position)
        case .openAI(let machine, let chunks):
            var pieces = machine.hasBegun ? RunRendering.pieces(chunks.blocks(for: .began(text)), at: position) : []
            guard let end = machine.end else { return pieces }
            for index in pieces.indices { pieces[index].id = nil }
            return pieces + RunRendering.pieces(of: end, chunks, at: position)
        case .text: return text.isEmpty ? [] : [RenderedPiece(data: Array(text.utf8))]
        }
    }
}
