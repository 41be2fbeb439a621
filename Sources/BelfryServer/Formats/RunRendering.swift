import BelfryCore

/// A piece of a rendered stream: the data of one event, or text as it is.
struct RenderedPiece: Sendable, Equatable {
    var data: [UInt8]
    /// Where a reader that has it goes on from. Nil: what it ends is not complete yet.
    var id: Int64?
}

/// One reader's rendering of a run: frames go in, pieces of its format come out. What comes next depends on what came
/// before, so each subscriber has its own. Pure.
///
/// Indirect, so that the many subscribers that have none pay a pointer for it.
indirect enum RunRendering: Sendable {
    case agui(AGUIStateMachine)
    case openAI(StepTextStateMachine, CompletionChunks)
    case text(StepTextStateMachine)

    /// Nothing follows, whatever the run still does.
    var isComplete: Bool {
        switch self {
        case .agui(let machine): machine.isComplete
        case .openAI(let machine, _), .text(let machine): machine.end != nil
        }
    }

    /// Whether its pieces are text, and no events.
    var isText: Bool { if case .text = self { true } else { false } }

    mutating func pieces(for frame: Frame) -> [RenderedPiece] {
        switch self {
        case .agui(var machine):
            let events = machine.events(for: frame)
            self = .agui(machine)
            return Self.pieces(events.map(\.json), at: frame.position)
        case .openAI(var machine, let chunks):
            let output = machine.output(for: frame)
            self = .openAI(machine, chunks)
            switch output {
            case .ended(let end)?: return Self.pieces(of: end, chunks, at: frame.position)
            case let output?: return Self.pieces(chunks.blocks(for: output), at: frame.position)
            case nil: return []
            }
        case .text(var machine):
            let output = machine.output(for: frame)
            self = .text(machine)
            switch output {
            case .began(let text)?, .text(let text)?: return text.isEmpty ? [] : [RenderedPiece(data: Array(text.utf8))]
            case .ended?, nil: return []
            }
        }
    }

    /// What a reader is told whose stream the hub ends before its time; nil if the format has no word for it, and the
    /// connection must break.
    func farewell(_ frame: Frame) -> [RenderedPiece]? {
        guard !isComplete else { return [] }
        switch self {
        case .agui(var machine): return Self.pieces(machine.events(for: frame).map(\.json), at: nil)
        case .openAI:
            let reason = frame.draft.data.value["reason"]?.string ?? ""
            return [RenderedPiece(data: CompletionChunks.closing(reason))]
        case .text: return nil
        }
    }

    /// Only the last piece of a position carries it, so that a reader never goes on behind what it has not got.
    static func pieces(_ blocks: [[UInt8]], at position: Int64?) -> [RenderedPiece] {
        blocks.enumerated().map { RenderedPiece(data: $1, id: $0 == blocks.count - 1 ? position : nil) }
    }

    /// The end of a step carries the position, `[DONE]` goes without: it says nothing more. Who goes on behind a restart
    /// is told of it again, because what it has is of an attempt that came to nothing.
    static func pieces(
        of end: StepTextStateMachine.End, _ chunks: CompletionChunks, at position: Int64
    ) -> [RenderedPiece] {
        chunks.blocks(for: .ended(end)).enumerated().map {
            RenderedPiece(data: $1, id: $0 == 0 && end != .restarted ? position : nil)
        }
    }
}
