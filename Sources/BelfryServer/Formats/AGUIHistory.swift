import BelfryCore

/// What a reader that comes late must be told of the events so far: where the run stands, its steps, and each message
/// in one piece. It is a valid beginning of a stream, and what follows the events follows it.
struct AGUIHistory: Sendable {
    private static let gapName = AGUIEvent.prefix + "gap"

    private var start: AGUIEvent?
    private var state: AGUIEvent?
    private var items: [AGUIEvent] = []
    /// The text that ``items`` end with, and the event of its last piece.
    private var text = ""
    private var lastPiece: AGUIEvent?
    private var end: AGUIEvent?

    mutating func add(_ event: AGUIEvent) {
        switch event.kind {
        case .runStarted:
            // What earlier runs of AG-UI brought stays, as the beginning of this one.
            start = event
            end = nil
        case .runFinished, .runError: end = event
        case .stateSnapshot: state = event
        case .messageContent(let id, let delta):
            if case .messageContent(id, _) = lastPiece?.kind {} else { closeText() }
            text += delta
            lastPiece = event
        case .toolCallArgs(let id, let delta):
            if case .toolCallArgs(id, _) = lastPiece?.kind {} else { closeText() }
            text += delta
            lastPiece = event
        case .custom(let name, _):
            // Of steps that are none of AG-UI's, and what is missing; logs, notices and commands are news, and no state.
            if name.hasPrefix(AGUIEvent.prefix + "step_") || name == Self.gapName { append(event) }
        default: append(event)
        }
    }

    /// Adds that something is missing before this.
    mutating func add(gap frame: Frame) {
        guard start != nil else { return }
        let kind = AGUIEvent.Kind.custom(name: Self.gapName, frame.draft.data.value)
        append(AGUIEvent(kind: kind, time: frame.draft.time))
    }

    /// In the order of the stream.
    var events: [AGUIEvent] {
        var whole = self
        whole.closeText()
        return [start, state].compactMap { $0 } + whole.items + [end].compactMap { $0 }
    }

    private mutating func append(_ event: AGUIEvent) {
        closeText()
        items.append(event)
    }

    private mutating func closeText() {
        guard var piece = lastPiece else { return }
        switch piece.kind {
        case .messageContent(let id, _): piece.kind = .messageContent(id, delta: text)
        case .toolCallArgs(let id, _): piece.kind = .toolCallArgs(id, delta: text)
        default: break
        }
        items.append(piece)
        lastPiece = nil
        text = ""
    }
}
