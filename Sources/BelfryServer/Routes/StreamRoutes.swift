import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes
import NIOHTTP1

/// Server-sent events: one multiplexed stream of topics, and the stream of one run.
struct StreamRoutes {
    let hub: Hub
    let streams: NamedStreams
    private let planner: StreamPlanner
    private let renderings: RenderingPlanner

    init(hub: Hub, streams: NamedStreams, clock: WallClock) {
        self.hub = hub
        self.streams = streams
        planner = StreamPlanner(hub: hub, clock: clock)
        renderings = RenderingPlanner(hub: hub, clock: clock)
    }

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/stream", .streamViewer, isStream: true, checksScopes: true, topics)
        table.add(.get, "/v1/runs/:id/stream", .streamViewer, isStream: true, checksScopes: true, run)
    }

    /// `?topic=…&topic=…`
    private func topics(_ request: RouteRequest) async throws -> Reply {
        try checkFormat(request)
        let topics = try Topic.list(request.query.values("topic"))
        let caller = try request.caller()
        for topic in topics { try caller.checkSubscribe(to: topic) }
        try await hub.checkRuns(of: topics)
        let position = try StreamPosition(request)
        var plan: StreamPlan
        if let name = request.query["stream"] {
            plan = try await self.plan(named: name, topics, at: position, for: caller)
        } else {
            guard !topics.isEmpty else {
                throw BelfryError(.missingAttribute, "name at least one topic: ?topic=runs&topic=run/*")
            }
            plan = try await planner.plan(topics, at: position)
        }
        plan.token = caller.token
        return .stream(plan)
    }

    /// `?stream=NAME`: goes on with the topics that it was changed to. It may begin without any.
    private func plan(
        named name: String, _ topics: [Topic], at position: StreamPosition, for caller: Principal
    ) async throws(BelfryError) -> StreamPlan {
        guard Name.isValid(name) else {
            throw BelfryError(.malformed, "a stream's name is \(Name.form)")
        }
        let stream = try streams.open(name, topics: topics, by: caller)
        let opening = NamedStreamOpening(of: stream, by: caller)
        let begin = stream.topicsToBegin(after: planner.position(position))
        var plan = try await planner.plan(begin, at: position)
        plan.stream = opening
        plan.sessions = [stream.session]
        return plan
    }

    private func run(_ request: RouteRequest) async throws -> Reply {
        let format = try StreamFormat(named: request.query["format"])
        let id = try request.id(RunKind.self)
        let caller = try request.caller()
        try caller.checkSubscribe(to: .run(id))
        let position = try StreamPosition(request)
        let run = try await hub.run(id).run
        let step = request.query["step"]
        let isOfFrames = format == .frames && step == nil
        var plan: StreamPlan
        if isOfFrames {
            plan = try await planner.plan([.run(id)], at: position)
            plan.run = id
        } else if let rendered = try await renderings.plan(run, as: format, step: step, at: position) {
            plan = rendered
        } else {
            return .empty(204)
        }
        plan.token = caller.token
        guard isOfFrames else { return .stream(plan) }
        // Read after the snapshot: a run that ends in between has its last frames after the snapshot's position.
        guard try await hub.run(id).run.state.isEnded else { return .stream(plan) }
        let end = hub.head
        // A position beyond the log is nobody's: who says it has not got this end.
        if case .after(let position) = position, position > 0, position <= end,
            try await hub.isSilent(id, after: position, through: end)
        {
            return .empty(204)
        }
        plan.end = end
        return .stream(plan)
    }

    /// Topics are streamed as frames.
    private func checkFormat(_ request: RouteRequest) throws(BelfryError) {
        guard try StreamFormat(named: request.query["format"]) != .frames else { return }
        throw BelfryError(.malformed, "this stream is of several topics, so it speaks one format: frames")
    }
}

extension StreamPosition {
    /// `Last-Event-ID` before `?last_event_id=` before `?after=`. Only the last is written by hand, so only that one is
    /// refused if it makes no sense.
    init(_ request: RouteRequest) throws(BelfryError) {
        let ids = [request.headers.first(name: "last-event-id"), request.query["last_event_id"]]
        if let id = ids.compactMap({ $0 }).first(where: { !$0.isEmpty }) {
            self = Self.position(id).map(StreamPosition.after) ?? .unreadable
        } else if let text = request.query["after"] {
            guard let position = Self.position(text) else {
                throw BelfryError(.malformed, "after must be a position: a whole number from 0")
            }
            self = .after(position)
        } else {
            self = .now
        }
    }

    /// Digits and nothing else.
    private static func position(_ text: String) -> Int64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }
}
