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
}
