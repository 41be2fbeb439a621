public import BelfryCore
import Foundation
import GRDB

extension Store {
    /// Appends frames to the log, in one piece.
    /// - Returns: The position of the last one; the head if there are none.
    @discardableResult
    public func append(_ frames: [DraftFrame]) async throws(BelfryError) -> Int64 {
        guard !frames.isEmpty else { return head }
        let bytes = frames.reduce(0) { $0 + $1.data.bytes.count + 128 }
        return try await writer.perform(bytes: bytes) { transaction in
            var position: Int64 = 0
            for frame in frames { position = try transaction.append(frame) }
            return position
        }
    }

    /// Appends tokens with the next commit that takes tokens (``Limits/deltaCommitInterval``).
    /// - Parameters:
    ///   - tokens: What there is when the commit begins. Asked again if the commit is done again.
    ///   - ended: Told when they are on disk, or why not: on the writer's thread, which it must not block.
    public func post(
        tokens: @escaping @Sendable () -> [DraftFrame], ended: @escaping @Sendable (BelfryError?) -> Void
    ) {
        writer.post({ transaction in for frame in tokens() { try transaction.append(frame) } }, ended: ended)
    }

    /// Appends a frame from outside, whose sender waits for the answer.
    /// - Returns: Its position.
    public func publish(_ frame: DraftFrame) async throws(BelfryError) -> Int64 {
        try await writer.perform(bytes: frame.data.bytes.count + 128, kind: .publication) { transaction in
            try transaction.append(frame)
        }
    }

    /// Frames of any of the topics after a position, in order, each once.
    ///
    /// A page may be empty and still have moved on: go on with `after: page.through` until that reaches the bound. What
    /// is gone is named in its ``FramePage/floors``.
    /// - Parameters:
    ///   - through: The last position to consider; nil is the head.
    ///   - max: Frames at most.
    public func frames(
        after: Int64, through: Int64? = nil, topics: [Topic], max: Int = Limits.replayFramesMax
    ) async throws(BelfryError) -> FramePage {
        let bound = min(through ?? .max, head)
        guard bound > after, !topics.isEmpty, max > 0 else {
            return FramePage(frames: [], through: Swift.max(after, bound))
        }
        return try await read { db in
            try FrameQuery(after: after, through: bound, topics: Set(topics), max: max).page(db)
        }
    }
}
