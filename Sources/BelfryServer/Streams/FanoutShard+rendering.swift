import BelfryCore
import BelfryEngine

extension FanoutShard {
    /// Writes frames to a subscriber whose bytes depend on what it was sent before.
    /// - Parameter head: all of the commits of these frames stands at or before it.
    func render(_ frames: some Collection<Frame>, to subscriber: Subscriber, head: Int64) {
        let framing = subscriber.framing
        if let bytes = subscriber.rendering?.bytes(of: frames, framing: framing) { subscriber.send(bytes) }
        written(frames.count, to: subscriber)
        if subscriber.rendering?.isComplete == true { noteEnd(of: subscriber, head: head) }
    }

    /// Catches up from the recent batches, as far as one turn goes.
    func renderRing(_ batches: [FrameBatch], after cursor: Int64, for subscriber: Subscriber) {
        var through = head
        var frames: [Frame] = []
        var looked = 0
        var bytes = 0
        read: for batch in batches where batch.after < head {
            for frame in batch.frames where frame.position > cursor && frame.position <= head {
                looked += 1
                if subscriber.topics.wants(frame) {
                    frames.append(frame)
                    bytes += frame.draft.data.bytes.count
                }
                if looked >= Limits.catchUpFramesPerTurnMax || bytes >= Limits.catchUpBytesPerTurnMax {
                    through = frame.position
                    break read
                }
            }
        }
        render(frames, to: subscriber, head: head)
        pageDelivered(through: through, to: subscriber)
    }
}
