import BelfryCore
import Synchronization

/// Frames committed together, and their bytes: encoded at most once per framing, when the first loop needs them.
final class FrameBatch: Sendable {
    /// It covers `after < position <= through`.
    let after: Int64
    let through: Int64
    let frames: [Frame]

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
            if let encoded = encodings[framing] { return encoded }
            let encoded = EncodedFrames(frames, framing: framing)
            encodings[framing] = encoded
            return encoded
        }
    }
}

/// The bytes of the same frames in each framing, where they are needed.
private struct Encodings: Sendable {
    private var chunked: EncodedFrames?
    private var plain: EncodedFrames?
    private var webSocket: EncodedFrames?

    subscript(framing: StreamFraming) -> EncodedFrames? {
        get {
            switch framing {
            case .chunked: chunked
            case .plain: plain
            case .webSocket: webSocket
            }
        }
        set {
            switch framing {
            case .chunked: chunked = newValue
            case .plain: plain = newValue
            case .webSocket: webSocket = newValue
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
    private var encodings = Encodings()

    /// Nil without batches.
    init?(_ batches: [FrameBatch]) {
        guard let first = batches.first, let last = batches.last else { return nil }
        after = first.after
        through = last.through
        frames = batches.count == 1 ? first.frames : batches.flatMap(\.frames)
        self.batches = batches
    }

    mutating func encoded(_ framing: StreamFraming) -> EncodedFrames {
        if let encoded = encodings[framing] { return encoded }
        let encoded = join(framing)
        encodings[framing] = encoded
        return encoded
    }

    private func join(_ framing: StreamFraming) -> EncodedFrames {
        batches.count == 1 ? batches[0].encoded(framing) : EncodedFrames(joining: batches.map { $0.encoded(framing) })
    }
}
