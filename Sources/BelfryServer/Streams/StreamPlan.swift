import BelfryCore
import NIOCore

/// What a stream begins with and goes on with, worked out before its connection is handed to the fan-out.
struct StreamPlan: Sendable {
    var topics: [Topic]
    /// Frames after this position are delivered.
    var after: Int64
    /// The last position worth waiting for, of a run that has ended.
    var end: Int64?
    /// The stream ends with this run.
    var run: RunID?
    /// The token that opened the stream, which ends with it; nil if it was opened without.
    var token: TokenID?
    /// Snapshot or GAP blocks that come first. All but the last go without an id.
    var preamble: [Frame] = []
    /// The client has named it.
    var stream: NamedStreamOpening?
    /// What opened it and lets the client come back: each has one connection at a time.
    var sessions: [StreamSession] = []
    /// Further headers of the answer.
    var headers: [(name: String, value: String)] = []
    /// Of a stream that is no stream of frames: its rendering as of `after`, and what comes first instead.
    var rendering: RunRendering?
    var renderedPreamble: [RenderedPiece] = []

    /// The first bytes of the body.
    func opening(framing: StreamFraming) -> ByteBuffer {
        if let rendering { return rendering.opening(renderedPreamble, framing: framing) }
        var buffer = EventStreamEncoder.retry(framing: framing)
        for (index, frame) in preamble.enumerated() {
            EventStreamEncoder.append(frame, hasID: index == preamble.count - 1, framing: framing, to: &buffer)
        }
        // Without a topic nothing may come for long: a client that comes back without a position would begin anew, and
        // what was added since would be lost.
        if topics.isEmpty {
            buffer.writeImmutableBuffer(EventStreamEncoder.cursor(after, framing: framing))
        }
        return buffer
    }
}
