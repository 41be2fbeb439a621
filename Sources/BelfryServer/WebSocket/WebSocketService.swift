import BelfryCore
import BelfryEngine
import NIOCore

/// Does what clients ask for on their WebSockets, where it has to wait for the hub. One for all connections: a
/// connection that is quiet holds no task.
final class WebSocketService: Sendable {
    /// What came of a command.
    enum Outcome: Sendable {
        case answer(JSONObject)
        // To be carried out by the connection, which then answers.
        case subscribe(StreamPlan)
        case unsubscribe([Topic])
    }

    private struct Job: Sendable {
        let command: WebSocketCommand
        let principal: Principal
        let finish: @Sendable (Result<Outcome, BelfryError>) -> Void
    }

    let clock: WallClock
    private let hub: Hub
    private let planner: StreamPlanner
    private let jobs: AsyncStream<Job>
    private let sink: AsyncStream<Job>.Continuation

    init(hub: Hub, clock: WallClock) {
        self.hub = hub
        self.clock = clock
        planner = StreamPlanner(hub: hub, clock: clock)
        // Bounded by what each connection may have under way (``Limits/webSocketCallsMax``).
        (jobs, sink) = AsyncStream.makeStream()
    }

    /// Begins a command.
    /// - Parameter finish: called once, anywhere; never if the server stops first.
    func begin(
        _ command: WebSocketCommand, for principal: Principal,
        finish: @escaping @Sendable (Result<Outcome, BelfryError>) -> Void
    ) {
        sink.yield(Job(command: command, principal: principal, finish: finish))
    }

    /// Serves all connections until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs {
                group.addTask {
                    do throws(BelfryError) {
                        job.finish(.success(try await self.perform(job.command, for: job.principal)))
                    } catch {
                        job.finish(.failure(error))
                    }
                }
            }
        }
    }

    private func perform(_ command: WebSocketCommand, for principal: Principal) async throws(BelfryError) -> Outcome {
        switch command {
        case .subscribe(let topics, let after):
            for topic in topics { try principal.checkSubscribe(to: topic) }
            return .subscribe(try await planner.plan(topics, at: after.map(StreamPosition.after) ?? .now))
        case .stop(let run, let id):
            try Access.role(.operator).check(principal)
            try principal.checkUnscoped()
            return .answer(try await hub.stop(run, commandID: id, by: principal).json)
        case .ping: return .answer(["position": .int(hub.head), "time": .string(clock.now().description)])
        case .unsubscribe(let topics): return .unsubscribe(topics)
        }
    }
}
