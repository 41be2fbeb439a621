import BelfryCore
import BelfryEngine

/// What the methods of a WebSocket do.
struct WebSocketMethods: Sendable {
    let hub: Hub
    let clock: WallClock

    /// What came of a command.
    enum Outcome: Sendable {
        case answer(JSONObject)
        // To be carried out by the connection, which then answers.
        case subscribe(StreamPlan)
        case unsubscribe([Topic])
        case watch(Set<RunID>, Presence.Person)
    }

    func perform(_ command: WebSocketCommand, for principal: Principal) async throws(BelfryError) -> Outcome {
        switch command {
        case .subscribe(let topics, let after):
            for topic in topics { try principal.checkSubscribe(to: topic) }
            try await hub.checkRuns(of: topics)
            let position = after.map(StreamPosition.after) ?? .now
            return .subscribe(try await StreamPlanner(hub: hub, clock: clock).plan(topics, at: position))
        case .unsubscribe(let topics): return .unsubscribe(topics)
        case .watch(let runs):
            try principal.checkUnscoped()
            let isNamed = Access.role(.operator).admits(principal.role)
            return .watch(runs, Presence.Person(name: hub.personName(of: principal), isNamed: isNamed))
        case .operate(let command): return .answer(try await command.perform(on: hub, by: principal))
        case .ping: return .answer(["position": .int(hub.head), "time": .string(clock.now().description)])
        }
    }
}
