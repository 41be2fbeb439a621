import BelfryCore
import Synchronization

/// Frames committed together, and their bytes: encoded at most once per framing, when the first loop needs them.
final class FrameBatch: Sendable {
    /// It covers `after < position <= through`.
    let after: Int64
    let through: Int64
    let frames: [Frame]

    private struct Encodings {
        var chunked: EncodedFrames?
        var plain: EncodedFrames?
    }

    private let encodings = Mutex(Encodings())

    init(after: Int64, through: Int64, frames: [Frame]) {
        self.after = after
        self.through = through
        self.frames = frames
    }

    /// What the batch weighs in memory, about.
    var bytesEstimate: Int { frames.reduce(0) { $0 + 2 * $1.draft.data.bytes.count + 448 } }

    func encoded(_ framing: StreamFraming) -> EncodedFrames {
        encodings.withLock { encodings in
            switch framing {
            case .chunked:
                if let chunked = encodings.chunked { return chunked }
                let chunked = EncodedFrames(frames, framing: .chunked)
                encodings.chunked = chunked
                return chunked
            case .plain:
                if let plain = encodings.plain { return plain }
                let plain = EncodedFrames(frames, framing: .plain)
                encodings.plain = plain
                return plain
            }
        }
    }
}

/// The batches of one turn of a loop as one, so that a subscriber gets them in one write.
struct FrameTurn {
    let after: Int64
    let through: Int64
    let frames: [Frame]
    private let batches: [FrameBatch]
    private var chunked: EncodedFrames?
    private var plain: EncodedFrames?

    /// Nil without batches.
    init?(_ batches: [FrameBatch]) {
        guard let first = batches.first, let last = batches.last else { return nil }
        after = first.after
        through = last.through
        frames = batches.count == 1 ? first.frames : batches.flatMap(\.frames)
        self.batches = batches
    }

    mutating func encoded(_ framing: StreamFraming) -> EncodedFrames {
        switch framing {
        case .chunked:
            let encoded = chunked ?? join(.chunked)
            chunked = encoded
            return encoded
        case .plain:
            let encoded = plain ?? join(.plain)
            plain = encoded
            return encoded
        }
    }

    private func join(_ framing: StreamFraming) -> EncodedFrames {
        batches.count == 1 ? batches[0].encoded(framing) : EncodedFrames(joining: batches.map { $0.encoded(framing) })
    }
}
