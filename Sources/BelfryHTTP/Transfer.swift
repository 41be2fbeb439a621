import BelfryCore
import Synchronization

/// One exchange, as its caller and the loop's thread both see it. The thread fills it, the caller empties it.
final class Transfer: Sendable {
    struct Head: Sendable {
        var status: Int
        var headers: [(name: String, value: String)]
    }

    private struct State {
        var head: Head?
        var buffer: [UInt8] = []
        var isPaused = false
        /// Set once, by the thread, after libcurl has let go of the socket.
        var end: Result<Void, HTTPFailure>?
        var waiters: [Waiter] = []
    }

    private struct Waiter {
        var isReady: @Sendable (borrowing State) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    let request: HTTPRequest
    let target: HTTPTarget
    let proxy: String?
    private let state = Mutex(State())

    init(_ request: HTTPRequest, target: HTTPTarget, proxy: String?) {
        self.request = request
        self.target = target
        self.proxy = proxy
    }

    // MARK: The thread's side

    func begin(_ head: Head) { update { $0.head = head } }

    /// - Returns: false if the reader lags: libcurl keeps the bytes and pauses.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        update { state in
            guard state.buffer.count < Limits.responseBufferBytesMax else {
                state.isPaused = true
                return false
            }
            state.buffer.append(contentsOf: bytes)
            return true
        }
    }

    func end(_ result: Result<Void, HTTPFailure>) {
        update { state in
            if state.end == nil { state.end = result }
        }
    }

    // MARK: The caller's side

    /// Waits for the head; nil once the exchange has failed before it.
    func waitForHead() async -> Head? {
        await wait { $0.head != nil || $0.end != nil }
        return state.withLock(\.head)
    }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    func waitForEnd() async { await wait { $0.end != nil } }

    /// The failure the exchange ended with, if it did.
    var failure: HTTPFailure? {
        state.withLock { state in
            if case .failure(let failure) = state.end { failure } else { nil }
        }
    }

    enum Piece: Sendable {
        case bytes([UInt8], unpauses: Bool)
        case end
        case failed(HTTPFailure)
    }

    /// Takes all that has come, or waits for more. What came before a failure is delivered first.
    func nextPiece() async -> Piece {
        await wait { !$0.buffer.isEmpty || $0.end != nil }
        return state.withLock { state in
            if !state.buffer.isEmpty {
                let bytes = state.buffer
                state.buffer = []
                let unpauses = state.isPaused
                state.isPaused = false
                return .bytes(bytes, unpauses: unpauses)
            }
            if case .failure(let failure) = state.end { return .failed(failure) }
            return .end
        }
    }

    // MARK: Waiting

    private func wait(for isReady: @escaping @Sendable (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReadyNow = state.withLock { state in
                if isReady(state) { return true }
                state.waiters.append(Waiter(isReady: isReady, continuation: continuation))
                return false
            }
            if isReadyNow { continuation.resume() }
        }
    }

    @discardableResult
    private func update<Answer: Sendable>(_ change: (inout State) -> Answer) -> Answer {
        let (answer, ready) = state.withLock { state in
            let answer = change(&state)
            guard !state.waiters.isEmpty else { return (answer, [CheckedContinuation<Void, Never>]()) }
            let waiters = state.waiters
            state.waiters = waiters.filter { !$0.isReady(state) }
            return (answer, waiters.filter { $0.isReady(state) }.map(\.continuation))
        }
        for continuation in ready { continuation.resume() }
        return answer
    }
}
