import BelfryCore

/// Has done what clients ask for on their WebSockets. One for all connections: a connection that is quiet holds no
/// task.
final class WebSocketService: Sendable {
    typealias Perform = @Sendable (WebSocketCommand, Principal) async throws(BelfryError) -> WebSocketMethods.Outcome

    private struct Job: Sendable {
        let command: WebSocketCommand
        let principal: Principal
        let finish: @Sendable (Result<WebSocketMethods.Outcome, BelfryError>) -> Void
    }

    /// Who looks at what, over all connections.
    let presence: Presence
    private let perform: Perform
    private let jobs: AsyncStream<Job>
    private let sink: AsyncStream<Job>.Continuation

    init(presence: Presence = Presence(), perform: @escaping Perform) {
        self.presence = presence
        self.perform = perform
        // Bounded by what each connection may have under way (``Limits/webSocketCallsMax``).
        (jobs, sink) = AsyncStream.makeStream()
    }

    /// Begins a command.
    /// - Parameter finish: called once, anywhere; never if the server stops first.
    func begin(
        _ command: WebSocketCommand, for principal: Principal,
        finish: @escaping @Sendable (Result<WebSocketMethods.Outcome, BelfryError>) -> Void
    ) {
        sink.yield(Job(command: command, principal: principal, finish: finish))
    }

    /// Serves all connections until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs {
                group.addTask {
                    do throws(BelfryError) {
                        job.finish(.success(try await self.perform(job.command, job.principal)))
                    } catch {
                        job.finish(.failure(error))
                    }
                }
            }
        }
    }
}
