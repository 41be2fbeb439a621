public import BelfryCore
public import BelfryStore

/// Where a subscriber without a position begins: everything so far in a few frames, and the position to go on from.
public struct StreamSnapshot: Sendable {
    public var position: Int64
    /// At least one, all of type SNAPSHOT, at ``position``.
    public var frames: [Frame]
}

extension Hub {
    /// The last position of the log.
    public var head: Int64 { store.head }

    public func frames(
        after: Int64, through: Int64?, topics: [Topic], max: Int
    ) async throws(BelfryError) -> FramePage {
        try await store.frames(after: after, through: through, topics: topics, max: max)
    }

    /// - Throws: `not_found` if one of the topics is a run that there is not: nothing would ever come of it.
    public func checkRuns(of topics: [Topic]) async throws(BelfryError) {
        for case .run(let run) in topics { _ = try await store.run(run) }
    }

    /// One SNAPSHOT frame per run that the topics show tokens of, as far as there is room, and one that lists the others;
    /// or one that lists the unfinished runs.
    ///
    /// The first run named has all of its text, however long: a stream of one run begins so. What is only listed is had
    /// from the run's own stream.
    public func snapshot(of topics: [Topic]) async throws(BelfryError) -> StreamSnapshot {
        let position = store.head
        var frames: [Frame] = []
        var listed: [RunRecord] = []
        var room = Limits.snapshotBytesMax
        for topic in topics {
            guard case .run(let run) = topic else { continue }
            let isFirst = frames.isEmpty && listed.isEmpty
            if let frame = try await snapshotFrame(of: run, at: position, textBytesMax: isFirst ? .max : room) {
                if !isFirst { room = max(0, room - frame.draft.data.bytes.count) }
                frames.append(frame)
            } else {
                listed.append(try await store.run(run))
            }
        }
        let named = frames.count
        let others = topics.contains(.everyRun) ? try await unfinishedRuns() : []
        for run in others where !topics.contains(.run(run.id)) {
            let most = min(room, Limits.snapshotRunTextBytesMax)
            if frames.count - named < Limits.snapshotRunsMax, room > 0,
                let frame = try await snapshotFrame(of: run.id, at: position, textBytesMax: most)
            {
                room = max(0, room - frame.draft.data.bytes.count)
                frames.append(frame)
            } else {
                listed.append(run)
            }
        }
        if frames.isEmpty, listed.isEmpty {
            listed = topics.contains(where: \.showsRuns) ? try await unfinishedRuns() : []
            listed = listed.filter { run in
                topics.contains(.runs) || topics.contains(.everyRun) || topics.contains(.rule(run.rule))
            }
        }
        if frames.isEmpty || !listed.isEmpty {
            frames.append(snapshotFrame(listing: listed, topic: topics.first ?? .runs, at: position))
        }
        return StreamSnapshot(position: position, frames: frames)
    }

    /// Appends a frame of the caller's own to `custom/{name}`. - Returns: its position.
    public func publish(custom name: String, data: RawJSON, by principal: Principal) async throws(BelfryError) -> Int64
    {
        guard Name.isValid(name) else { throw BelfryError(.malformed, "\"\(name.prefix(80))\" is no name for a topic") }
        let frame = DraftFrame(time: configuration.clock.now(), topic: .custom(name), type: .custom, data: data)
        return try await store.publish(frame)
    }

    private func unfinishedRuns() async throws(BelfryError) -> [RunRecord] {
        // Those at work first: their text must not be missing because many wait.
        let atWork = RunFilter(states: [.running, .waiting, .stopping])
        let queued = RunFilter(states: [.queued])
        return try await store.runs(atWork, max: Limits.pageRowsMax).items
            + (try await store.runs(queued, max: Limits.runsRunningMax).items)
    }

    /// - Returns: nil for a run with more text than that.
    private func snapshotFrame(
        of run: RunID, at position: Int64, textBytesMax: Int
    ) async throws(BelfryError) -> Frame? {
        let read = try await RunSnapshot.read(run, from: store, through: position, textBytesMax: textBytesMax)
        guard let snapshot = read else { return nil }
        let draft = DraftFrame(
            time: configuration.clock.now(), topic: .run(run), run: run, rule: snapshot.rule, type: .snapshot,
            data: snapshot.json
        )
        return Frame(position: position, draft: draft)
    }

    private func snapshotFrame(listing runs: [RunRecord], topic: Topic, at position: Int64) -> Frame {
        let list = runs.map { run -> JSONValue in
            ["run": .string(run.id.description), "rule": .string(run.rule), "state": .string(run.state.rawValue)]
        }
        let draft = DraftFrame(
            time: configuration.clock.now(), topic: topic, type: .snapshot, data: RawJSON(["runs": .array(list)])
        )
        return Frame(position: position, draft: draft)
    }
}

extension Topic {
    /// Whether the life of more than one run is seen here.
    fileprivate var showsRuns: Bool {
        switch self {
        case .runs, .everyRun, .rule: true
        default: false
        }
    }
}
