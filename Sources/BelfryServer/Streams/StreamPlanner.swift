import BelfryCore
import BelfryEngine
import BelfryStore

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

    /// Whether the position leads somewhere; else a stream begins anew, with the state so far.
    func position(_ position: StreamPosition) -> Int64? {
        guard case .after(let position) = position, position <= hub.head else { return nil }
        return position
    }

    func plan(_ topics: [Topic], at position: StreamPosition) async throws(BelfryError) -> StreamPlan {
        guard !topics.isEmpty else { return StreamPlan(topics: [], after: self.position(position) ?? hub.head) }
        switch position {
        case .now:
            let snapshot = try await hub.snapshot(of: topics)
            return StreamPlan(topics: topics, after: snapshot.position, preamble: snapshot.frames)
        case .unreadable:
            return try await beginAnew(from: nil, topics)
        case .after(let position):
            guard position <= hub.head else { return try await beginAnew(from: position, topics) }
            return StreamPlan(topics: topics, after: position)
        }
    }

    /// For a position that leads nowhere: says so, and gives the state so far to go on from.
    private func beginAnew(from position: Int64?, _ topics: [Topic]) async throws(BelfryError) -> StreamPlan {
        let snapshot = try await hub.snapshot(of: topics)
        let gap = Frame(
            gapAt: snapshot.position, from: position, to: snapshot.position, topics: topics, time: clock.now()
        )
        return StreamPlan(topics: topics, after: snapshot.position, preamble: [gap] + snapshot.frames)
    }
}

extension Hub {
    /// Whether a run says nothing behind a position: a client that stands there when the run has ended must not come
    /// again.
    func isSilent(_ run: RunID, after position: Int64, through end: Int64) async throws(BelfryError) -> Bool {
        var after = position
        while after < end {
            let page = try await frames(after: after, through: end, topics: [.run(run)], max: 1)
            if !page.frames.isEmpty || !page.floors.isEmpty { return false }
            guard page.through > after else { break }
            after = page.through
        }
        return true
    }
}

extension Frame {
    /// A GAP: frames of these topics behind `from` (nil: a place that nobody knows) and up to `to` are not to be had. It
    /// is not in the log.
    init(gapAt position: Int64, from: Int64?, to: Int64, topics: [Topic], time: Timestamp) {
        let data: JSONValue = [
            "from": from.map { .int($0) } ?? .null, "to": .int(to),
            "topics": .array(topics.map { .string($0.description) }),
        ]
        var run: RunID?
        if topics.count == 1, case .run(let id)? = topics.first { run = id }
        let draft = DraftFrame(time: time, topic: topics.first ?? .alerts, run: run, type: .gap, data: RawJSON(data))
        self.init(position: position, draft: draft)
    }
}
