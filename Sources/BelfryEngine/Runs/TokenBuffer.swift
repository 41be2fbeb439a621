import BelfryCore
import Synchronization

/// Carries a step's tokens from the agent to the log: what arrives while a commit is in flight rides in the next one.
///
/// Bounded: an agent that is faster than the disk waits in ``append(_:)``.
final class TokenBuffer: Sendable {
    private struct State {
        var frames: [DraftFrame] = []
        var bytes = 0
        var isFinished = false
        var reader: CheckedContinuation<[DraftFrame], Never>?
        var writers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Adds a frame; waits while ``Limits/tokenBufferBytesMax`` are already waiting.
    func append(_ frame: DraftFrame) async {
        let isFull = state.withLock { state -> Bool in
            guard !state.isFinished else { return false }
            if let reader = state.reader {
                state.reader = nil
                reader.resume(returning: [frame])
                return false
            }
            state.frames.append(frame)
            state.bytes += frame.data.bytes.count
            return state.bytes > Limits.tokenBufferBytesMax
        }
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

    /// All frames that wait, at least one; empty when the buffer is finished and drained. One reader at a time.
    func next() async -> [DraftFrame] {
        await withCheckedContinuation { continuation in
            let (batch, writers) = state.withLock { state -> ([DraftFrame]?, [CheckedContinuation<Void, Never>]) in
                guard state.frames.isEmpty else {
                    let batch = state.frames
                    let writers = state.writers
                    state.frames = []
                    state.bytes = 0
                    state.writers = []
                    return (batch, writers)
                }
                if state.isFinished { return ([], []) }
                state.reader = continuation
                return (nil, [])
            }
            for writer in writers { writer.resume() }
            if let batch { continuation.resume(returning: batch) }
        }
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
        reader?.resume(returning: [])
        for writer in writers { writer.resume() }
    }
}
