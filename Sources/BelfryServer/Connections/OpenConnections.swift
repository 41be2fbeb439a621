import NIOCore
import Synchronization

/// How many connections are open, streams and WebSockets too, which no task stands for; and when the last has ended.
final class OpenConnections: Sendable {
    private struct State {
        var open = 0
        /// No further ones come.
        var isLast = false
    }

    private let state = Mutex(State())
    private let ended: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() { (ended, end) = AsyncStream.makeStream() }

    func add(_ channel: any Channel) {
        state.withLock { $0.open += 1 }
        channel.closeFuture.whenComplete { _ in self.remove() }
    }

    private func remove() {
        let isOver = state.withLock { state in
            state.open -= 1
            return state.isLast && state.open == 0
        }
        if isOver { end.finish() }
    }

    /// Returns when the last one has ended, or the task is cancelled. To be called when the server no longer listens.
    func waitForEnd() async {
        let isOver = state.withLock { state in
            state.isLast = true
            return state.open == 0
        }
        guard !isOver else { return }
        for await _ in ended {}
    }
}
