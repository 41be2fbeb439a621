import BelfryCore
import Synchronization

/// Frames committed together, and their bytes: encoded at most once per framing, when the first loop needs them.
final class FrameBatch: Sendable {
    /// It covers `after < position <= through`.
    let after: Int64
    let through: Int64
    let frames: [Frame]

    private let encodings = Mutex(PerFraming<EncodedFrames?>(nil))

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

/// A value for each framing.
struct PerFraming<Value> {
    var chunked: Value
    var plain: Value
    var webSocket: Value

    init(_ value: Value) { (chunked, plain, webSocket) = (value, value, value) }

    subscript(framing: StreamFraming) -> Value {
        get {
            switch framing {
            case .chunked: chunked
            case .plain: plain
            case .webSocket: webSocket
            }
        }
        _modify {
            switch framing {
            case .chunked: yield &chunked
            case .plain: yield &plain
            case .webSocket: yield &webSocket
            }
        }
    }

    mutating func modifyEach(_ body: (inout Value) -> Void) {
        body(&chunked)
        body(&plain)
        body(&webSocket)
    }
}

extension PerFraming: Sendable where Value: Sendable {}
