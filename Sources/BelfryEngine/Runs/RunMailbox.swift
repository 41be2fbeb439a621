public import BelfryCore
import BelfryStore
import Synchronization

/// What reaches a run while it is at work.
enum RunInput: Sendable {
    case command(RunCommand)
    /// The hub itself ends the run; its row says so already.
    case stop(EndReason)
    case stepEnded(StepResult)
    /// A stopped step has not ended in ``Limits/stopConfirmTimeout``.
    case stopUnconfirmed
}

/// An operator's word on a run.
struct RunCommand: Sendable {
    enum Kind: String, Sendable { case stop }

    var kind: Kind
    var id: CommandID
    var by: Principal
    var arrived: ContinuousClock.Instant
    /// Called exactly once, with what became of the command.
    var answer: @Sendable (CommandAnswer) -> Void

    func answer(_ result: CommandAnswer.Result, reason: String? = nil) {
        answer(CommandAnswer(command: id, result: result, reason: reason, latency: .now - arrived))
    }
}

/// What became of an operator's command.
public struct CommandAnswer: Sendable, Hashable {
    public enum Result: String, Sendable, Hashable {
        case applied
        /// Done, but the socket or process could not be seen to be gone in time.
        case unconfirmed = "applied, unconfirmed"
        case rejected
    }

    public var command: CommandID
    public var result: Result
    /// Why it was rejected: `already stopped`.
    public var reason: String?
    /// From the command's arrival to the committed end.
    public var latency: Duration

    public init(command: CommandID, result: Result, reason: String? = nil, latency: Duration = .zero) {
        self.command = command
        self.result = result
        self.reason = reason
        self.latency = latency
    }
}

/// One run's mailbox: the order in which it is read is the order of the truth. One reader.
final class RunMailbox: Sendable {
    private struct State {
        var inputs: [RunInput] = []
        var reader: CheckedContinuation<RunInput?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// - Returns: false if the run has ended, or a command finds ``Limits/commandsWaitingMax`` before it.
    @discardableResult
    func post(_ input: RunInput) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            if case .command = input, state.inputs.count >= Limits.commandsWaitingMax { return false }
            if let reader = state.reader {
                state.reader = nil
                reader.resume(returning: input)
            } else {
                state.inputs.append(input)
            }
            return true
        }
    }

    /// The next input; nil if the task is cancelled, which is the hub's shutdown.
    func next() async -> RunInput? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if Task.isCancelled {
                        continuation.resume(returning: nil)
                    } else if state.inputs.isEmpty {
                        state.reader = continuation
                    } else {
                        continuation.resume(returning: state.inputs.removeFirst())
                    }
                }
            }
        } onCancel: {
            state.withLock { state in
                state.reader?.resume(returning: nil)
                state.reader = nil
            }
        }
    }

    /// No input is taken any more.
    /// - Returns: what was still waiting.
    func close() -> [RunInput] {
        state.withLock { state in
            state.isClosed = true
            defer { state.inputs = [] }
            return state.inputs
        }
    }
}

/// The mailboxes of the runs at work.
final class RunMailboxes: Sendable {
    private struct State {
        var open: [RunID: RunMailbox] = [:]
        /// Stops of runs that are claimed and have no mailbox yet.
        var early: [RunID: EndReason] = [:]
    }

    private let state = Mutex(State())

    func open(_ run: RunID) -> RunMailbox {
        let mailbox = RunMailbox()
        state.withLock { state in
            state.open[run] = mailbox
            if let reason = state.early.removeValue(forKey: run) { mailbox.post(.stop(reason)) }
        }
        return mailbox
    }

    func remove(_ run: RunID) {
        state.withLock { state in
            state.open[run] = nil
            state.early[run] = nil
        }
    }

    /// Tells a run at work to stop.
    func stop(_ stop: RunStop) {
        state.withLock { state in
            if let mailbox = state.open[stop.run] {
                mailbox.post(.stop(stop.reason))
            } else {
                state.early[stop.run] = stop.reason
            }
        }
    }

    subscript(run: RunID) -> RunMailbox? { state.withLock { $0.open[run] } }

    var count: Int { state.withLock { $0.open.count } }
}
