import BelfryCore
import Synchronization

/// Carries a step's tokens from the agent to the log: a commit takes what is there when it begins, so that a token waits for
/// one commit and not for the next but one.
///
/// Bounded: an agent that is faster than the disk waits in ``append(_:)``.
final class TokenBuffer: Sendable {
    /// Has the store's next commit of tokens take what there is when it begins (asked again if the commit is done again), and
    /// is told how that ended.
    typealias Post =
        @Sendable (
            _ tokens: @escaping @Sendable () -> [DraftFrame], _ ended: @escaping @Sendable (BelfryError?) -> Void
        ) -> Void

    private struct State {
        var frames: [DraftFrame] = []
        var bytes = 0
        /// So many of the frames were offered to the commit that is under way.
        var offered = 0
        /// A commit is to come, or under way, that takes what there is.
        var isPosted = false
        var isFinished = false
        /// What the store has refused the frames with. They wait, and no commit takes them until ``drain()`` is called again.
        var failure: BelfryError?
        /// Waits in ``drain()``.
        var drain: CheckedContinuation<Void, Never>?
        /// Wait for room.
        var writers: [CheckedContinuation<Void, Never>] = []

        var isDrained: Bool { isFinished && frames.isEmpty }

        /// Whether frames wait that no commit will take. The caller has it taken.
        mutating func mustPost() -> Bool {
            guard !isPosted, failure == nil, !frames.isEmpty else { return false }
            isPosted = true
            return true
        }

        mutating func removeFirst(_ count: Int) -> [CheckedContinuation<Void, Never>] {
            bytes -= frames[..<count].reduce(0) { $0 + $1.data.bytes.count }
            frames.removeFirst(count)
            offered = 0
            defer { writers = [] }
            return writers
        }

        mutating func takeDrain() -> CheckedContinuation<Void, Never>? {
            guard isDrained || failure != nil else { return nil }
            defer { drain = nil }
            return drain
        }
    }

    private let state = Mutex(State())
    private let store: Post

    init(store: @escaping Post) { self.store = store }

    /// Adds a frame; waits while ``Limits/tokenBufferBytesMax`` are already waiting.
    func append(_ frame: DraftFrame) async {
        let (mustPost, isFull) = state.withLock { state in
            guard !state.isFinished else { return (false, false) }
            state.frames.append(frame)
            state.bytes += frame.data.bytes.count
            return (state.mustPost(), state.bytes > Limits.tokenBufferBytesMax)
        }
        if mustPost { post() }
        guard isFull else { return }
        await withCheckedContinuation { continuation in
            let canGoOn = state.withLock { state -> Bool in
                if state.isFinished || state.bytes <= Limits.tokenBufferBytesMax { return true }
                state.writers.append(continuation)
                return false
            }
            if canGoOn { continuation.resume() }
        }
    }

    /// No frame follows; frames that wait are still stored.
    func finish() {
        let (drain, writers) = state.withLock { state in
            state.isFinished = true
            defer { state.writers = [] }
            return (state.takeDrain(), state.writers)
        }
        drain?.resume()
        for writer in writers { writer.resume() }
    }

    /// No frame follows, and those that wait are dropped.
    func cancel() {
        finish()
        let writers = state.withLock { $0.removeFirst($0.frames.count) }
        for writer in writers { writer.resume() }
    }

    /// Waits until the buffer is finished and all is on disk. One caller at a time.
    /// - Throws: what the store has failed with. The frames are still there: call it again, or ``cancel()``.
    func drain() async throws(BelfryError) {
        if state.withLock({ $0.mustPost() }) { post() }
        await withCheckedContinuation { continuation in
            let drain = state.withLock { state in
                state.drain = continuation
                return state.takeDrain()
            }
            drain?.resume()
        }
        let failure = state.withLock { state in
            defer { state.failure = nil }
            return state.failure
        }
        if let failure { throw failure }
    }

    // MARK: The commit's side

    private func post() { store(offer, concluded) }

    private func offer() -> [DraftFrame] {
        state.withLock { state in
            state.offered = state.frames.count
            return state.frames
        }
    }

    private func concluded(_ failure: BelfryError?) {
        let (mustPost, drain, writers) = state.withLock { state in
            state.isPosted = false
            state.failure = failure
            let writers = failure == nil ? state.removeFirst(state.offered) : []
            return (state.mustPost(), state.takeDrain(), writers)
        }
        if mustPost { post() }
        drain?.resume()
        for writer in writers { writer.resume() }
    }
}
