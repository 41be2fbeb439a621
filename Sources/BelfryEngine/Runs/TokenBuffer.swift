import BelfryCore
import Synchronization

/// Carries a step's tokens from the agent to the log: a commit takes what is there when it begins, so that a token waits for
/// one commit and not for the next but one.
///
/// Bounded: an agent that is faster than the disk waits in ``append(_:)``.
final class TokenBuffer: Sendable {
    private struct State {
        var frames: [DraftFrame] = []
        var bytes = 0
        /// So many of the frames were offered to the commit that is under way.
        var offered = 0
        var isFinished = false
        var reader: CheckedContinuation<Bool, Never>?
        var writers: [CheckedContinuation<Void, Never>] = []

        mutating func removeFirst(_ count: Int) -> [CheckedContinuation<Void, Never>] {
            bytes -= frames[..<count].reduce(0) { $0 + $1.data.bytes.count }
            frames.removeFirst(count)
            offered = 0
            defer { writers = [] }
            return writers
        }
    }

    private let state = Mutex(State())

    /// Adds a frame; waits while ``Limits/tokenBufferBytesMax`` are already waiting.
    func append(_ frame: DraftFrame) async {
        let (reader, isFull) = state.withLock { state in
            guard !state.isFinished else { return (CheckedContinuation<Bool, Never>?.none, false) }
            state.frames.append(frame)
            state.bytes += frame.data.bytes.count
            defer { state.reader = nil }
            return (state.reader, state.bytes > Limits.tokenBufferBytesMax)
        }
        reader?.resume(returning: true)
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

    /// Waits for a frame; false when the buffer is finished and drained. One reader at a time.
    func hasFrames() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if !state.frames.isEmpty { return true }
                if state.isFinished { return false }
                state.reader = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// All frames that wait. They stay until ``removeOffered()``, so a commit that is done again gets them again.
    func offer() -> [DraftFrame] {
        state.withLock { state in
            state.offered = state.frames.count
            return state.frames
        }
    }

    /// The frames that were offered last are on disk.
    func removeOffered() {
        let writers = state.withLock { $0.removeFirst($0.offered) }
        for writer in writers { writer.resume() }
    }

    /// No frame follows; frames that wait are still read.
    func finish() {
        let (reader, writers) = state.withLock { state in
            state.isFinished = true
            defer {
                state.reader = nil
                state.writers = []
            }
            return (state.reader, state.writers)
        }
        reader?.resume(returning: false)
        for writer in writers { writer.resume() }
    }

    /// No frame follows, and those that wait are dropped.
    func cancel() {
        finish()
        let writers = state.withLock { $0.removeFirst($0.frames.count) }
        for writer in writers { writer.resume() }
    }
}
