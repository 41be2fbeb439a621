import BelfryCore
import BelfryStore
import Synchronization

/// What reaches a run.
enum RunInput: Sendable {
    case command(RunCommand)
    /// The hub itself ends the run; its row says so already.
    case stop(EndReason)
    /// A queued run was taken for work.
    case claimed(RunRecord)
    case stepEnded(step: Int, StepResult)
    /// A step that was cut has not ended in ``Limits/stopConfirmTimeout``.
    case stopUnconfirmed(step: Int)
    /// Something that the run waits for is due.
    case due
}

/// One run's mailbox: the order in which it is read is the order of the truth. One reader.
final class RunMailbox: Sendable {
    private struct State {
        var inputs: [RunInput] = []
        var reader: CheckedContinuation<RunInput?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// - Returns: false if nothing is taken any more, or a command finds ``Limits/commandsWaitingMax`` before it.
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

    /// Closes if nothing waits.
    fileprivate func closeIfEmpty() -> Bool {
        state.withLock { state in
            if state.inputs.isEmpty { state.isClosed = true }
            return state.isClosed
        }
    }
}

/// The mailboxes of the runs in memory. A run that only waits is rows; what is posted to it has it loaded.
final class RunMailboxes: Sendable {
    enum Opened: Sendable {
        /// The caller takes the run into memory.
        case new(RunMailbox)
        case existing(RunMailbox)
    }

    private struct State {
        var open: [RunID: RunMailbox] = [:]
        /// Runs with mail that nobody has taken into memory yet.
        var unloaded: Set<RunID> = []
        /// The order in which they are. Those of the first list at once: somebody has said something. Of what is due there
        /// may be thousands after a night without the hub.
        var urgent: [RunID] = []
        var due: ArraySlice<RunID> = []
        /// The hub is stopping.
        var isClosed = false

        mutating func add(_ run: RunID, _ input: RunInput) {
            if case .due = input { due.append(run) } else { urgent.append(run) }
        }

        mutating func takeNext(isRoom: Bool) -> RunID? {
            if !urgent.isEmpty { return urgent.removeFirst() }
            return isRoom ? due.popFirst() : nil
        }
    }

    private let state = Mutex(State())
    /// There is something to load. Set before the first run.
    private let onLoad = Mutex<(@Sendable () -> Void)?>(nil)

    func whenToLoad(_ wake: @escaping @Sendable () -> Void) { onLoad.withLock { $0 = wake } }

    func open(_ run: RunID) -> Opened {
        state.withLock { state in
            if let mailbox = state.open[run] { return .existing(mailbox) }
            let mailbox = RunMailbox()
            state.open[run] = mailbox
            return .new(mailbox)
        }
    }

    /// Brings a run something, and the run into memory if it is not there.
    /// - Returns: false if it does not take it at the moment.
    @discardableResult
    func post(_ input: RunInput, to run: RunID) -> Bool {
        let (isTaken, mustLoad) = state.withLock { state in
            if let mailbox = state.open[run] {
                let isUnloaded = state.unloaded.contains(run)
                if isUnloaded { state.add(run, input) }
                return (mailbox.post(input), isUnloaded)
            }
            guard !state.isClosed else { return (false, false) }
            let mailbox = RunMailbox()
            state.open[run] = mailbox
            state.unloaded.insert(run)
            state.add(run, input)
            return (mailbox.post(input), true)
        }
        if mustLoad { onLoad.withLock { $0 }?() }
        return isTaken
    }

    /// No run is taken into memory any more.
    /// - Returns: those that were to be.
    func close() -> [(run: RunID, mailbox: RunMailbox)] {
        state.withLock { $0.isClosed = true }
        return takeToLoad(max: .max)
    }

    /// Runs to take into memory now.
    /// - Parameter max: how many runs there may be in memory; those to whom somebody has said something come in all the
    ///   same.
    func takeToLoad(max: Int) -> [(run: RunID, mailbox: RunMailbox)] {
        state.withLock { state in
            var taken: [(run: RunID, mailbox: RunMailbox)] = []
            while let run = state.takeNext(isRoom: state.open.count - state.unloaded.count < max) {
                guard state.unloaded.remove(run) != nil, let mailbox = state.open[run] else { continue }
                taken.append((run, mailbox))
            }
            return taken
        }
    }

    /// A run that only waits leaves memory, unless something has come for it.
    func unload(_ run: RunID, _ mailbox: RunMailbox) -> Bool {
        state.withLock { state in
            guard mailbox.closeIfEmpty() else { return false }
            if state.open[run] === mailbox { state.open[run] = nil }
            return true
        }
    }

    /// - Returns: what was still waiting.
    func remove(_ run: RunID, _ mailbox: RunMailbox) -> [RunInput] {
        state.withLock { state in
            if state.open[run] === mailbox { state.open[run] = nil }
            return mailbox.close()
        }
    }

    /// Runs in memory.
    var count: Int { state.withLock { $0.open.count - $0.unloaded.count } }
}
