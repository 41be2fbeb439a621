import BelfryCore
import BelfryEngine

/// Where a client wants its frames to begin.
enum StreamPosition: Sendable, Equatable {
    /// It has nothing yet.
    case now
    case after(Int64)
    /// It says something, but no position. A browser cannot mend that: it is told of a gap and goes on from the head.
    case unreadable
}

/// Works out what a subscription begins with: the same for event streams and WebSockets.
struct StreamPlanner: Sendable {
    let hub: Hub
    let clock: WallClock

    func plan(_ topics: [Topic], at position: StreamPosition) async throws(BelfryError) -> StreamPlan {
        switch position {
        case .now:
            let snapshot = try await hub.snapshot(of: topics)
            return StreamPlan(topics: topics, after: snapshot.position, preamble: snapshot.frames)
        case .unreadable:
            return try await beginAnew(from: nil, topics)
        case .after(let position):
            guard position <= hub.head else { return try await beginAnew(from: position, topics) }
            let floor = try await hub.floor(of: topics)
            // Zero means everything that is kept, so nothing is missing.
            guard position < floor, position > 0 else {
                return StreamPlan(topics: topics, after: max(position, floor))
            }
            return StreamPlan(topics: topics, after: floor, preamble: [gap(from: position, to: floor, topics)])
        }
    }

    /// For a position that leads nowhere: says so, and gives the state so far to go on from.
    private func beginAnew(from position: Int64?, _ topics: [Topic]) async throws(BelfryError) -> StreamPlan {
        let snapshot = try await hub.snapshot(of: topics)
        let gap = gap(from: position, to: snapshot.position, topics)
        return StreamPlan(topics: topics, after: snapshot.position, preamble: [gap] + snapshot.frames)
    }

    /// Says what is missing.
    private func gap(from position: Int64?, to end: Int64, _ topics: [Topic]) -> Frame {
        let data: JSONValue = [
            "from": position.map { .int($0) } ?? .null, "to": .int(end),
            "topics": .array(topics.map { .string($0.description) }),
        ]
        var run: RunID?
        if topics.count == 1, case .run(let id)? = topics.first { run = id }
        let draft = DraftFrame(
            time: clock.now(), topic: topics.first ?? .alerts, run: run, type: .gap, data: RawJSON(data)
        )
        return Frame(position: end, draft: draft)
    }
}

extension Topic {
    /// Reads the text form of a topic that a client names.
    init(named text: String) throws(BelfryError) {
        guard let topic = Topic(text) else {
            throw BelfryError(
                .malformed,
                "\"\(text.prefix(80))\" is no topic; topics are run/ID, run/*, runs, "
                    + "rule/NAME, source/NAME, source/*, approvals, rules, alerts, custom/NAME")
        }
        self = topic
    }
}
