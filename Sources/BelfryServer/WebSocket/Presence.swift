import BelfryCore
import NIOCore
import NIOPosix
import Synchronization

/// Who looks at which run, as the clients of WebSockets say: operators by name, viewers as a count. In memory alone,
/// and gone with the connection. Changes are told together, at most once in ``Limits/presenceInterval``, however many
/// there are.
final class Presence: Sendable {
    /// Somebody behind a connection.
    struct Person: Sendable, Equatable {
        var name: String
        /// An operator is shown by name, a viewer is counted.
        var isNamed: Bool
    }

    /// A connection that has said what it looks at.
    typealias Ticket = Int

    private struct Watcher: Sendable {
        var person: Person
        var runs: Set<RunID>
        /// Called on any thread with a notification.
        var tell: @Sendable (ByteBuffer) -> Void
    }

    private struct State {
        var watchers: [Ticket: Watcher] = [:]
        var last: Ticket = 0
        /// Where somebody came or went since changes were told.
        var changed: Set<RunID> = []
        var isTelling = false
    }

    private let state = Mutex(State())
    /// Where changes wait for company.
    private let loop: any EventLoop

    init(loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()) { self.loop = loop }

    /// From now on the connection is told of changes.
    func join(_ person: Person, tell: @escaping @Sendable (ByteBuffer) -> Void) -> Ticket {
        state.withLock { state in
            state.last += 1
            state.watchers[state.last] = Watcher(person: person, runs: [], tell: tell)
            return state.last
        }
    }

    /// What a connection looks at, in place of what it looked at before.
    func watch(_ runs: Set<RunID>, as ticket: Ticket) {
        change { state in
            guard let before = state.watchers[ticket]?.runs else { return }
            state.watchers[ticket]?.runs = runs
            state.changed.formUnion(before.symmetricDifference(runs))
        }
    }

    func leave(_ ticket: Ticket) {
        change { state in
            guard let watcher = state.watchers.removeValue(forKey: ticket) else { return }
            state.changed.formUnion(watcher.runs)
        }
    }

    /// Who is where: at most ``Limits/presenceRunsMax`` runs.
    var runs: JSONValue {
        state.withLock { state in
            let runs = Set(state.watchers.values.lazy.flatMap(\.runs)).prefix(Limits.presenceRunsMax)
            return Self.json(of: runs, state)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let mustTell = state.withLock { state in
            body(&state)
            guard !state.changed.isEmpty, !state.isTelling else { return false }
            state.isTelling = true
            return true
        }
        if mustTell { loop.scheduleTask(in: TimeAmount(Limits.presenceInterval)) { self.tell() } }
    }

    private func tell() {
        let (watchers, runs, isLeft) = state.withLock { state in
            let told = Array(state.changed.prefix(Limits.presenceRunsMax))
            state.changed.subtract(told)
            state.isTelling = !state.changed.isEmpty
            return (Array(state.watchers.values), Self.json(of: told, state), state.isTelling)
        }
        let notification = Self.notification(runs)
        for watcher in watchers { watcher.tell(notification) }
        if isLeft { loop.scheduleTask(in: TimeAmount(Limits.presenceInterval)) { self.tell() } }
    }

    /// The state so far as a notification, for a connection that has missed one.
    var notification: ByteBuffer { Self.notification(runs) }

    private static func notification(_ runs: JSONValue) -> ByteBuffer {
        let message: JSONValue = ["jsonrpc": "2.0", "method": "presence", "params": ["runs": runs]]
        return WebSocketEncoder.frame(.text, message.encoded())
    }

    /// `[{run, operators, viewers}]`
    private static func json(of runs: some Collection<RunID>, _ state: borrowing State) -> JSONValue {
        var people: [RunID: (operators: Set<String>, viewers: Set<String>)] = [:]
        for run in runs { people[run] = ([], []) }
        for watcher in state.watchers.values {
            for run in watcher.runs where people[run] != nil {
                if watcher.person.isNamed {
                    people[run]?.operators.insert(watcher.person.name)
                } else {
                    people[run]?.viewers.insert(watcher.person.name)
                }
            }
        }
        return .array(
            runs.map { run in
                let here = people[run] ?? ([], [])
                return [
                    "run": .string(run.description),
                    "operators": .array(here.operators.sorted().prefix(Limits.presenceNamesMax).map(JSONValue.string)),
                    "viewers": .int(here.viewers.count),
                ]
            })
    }
}
