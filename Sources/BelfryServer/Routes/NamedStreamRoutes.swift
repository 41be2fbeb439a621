import BelfryCore
import BelfryEngine
import HTTPTypes

/// Streams that their clients have named: the caller's own, and their topics.
struct NamedStreamRoutes {
    let hub: Hub
    let streams: NamedStreams

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/streams", .role(.viewer), checksScopes: true, list)
        table.add(.patch, "/v1/streams/:name", .role(.viewer), checksScopes: true, change)
    }

    private func list(_ request: RouteRequest) async throws -> Reply {
        .list(streams.all(of: try request.caller()).map(\.json))
    }

    /// `{topics}`, or `{add?, remove?}`; and `after?` → `{stream, topics, connected, expires_at, position}`, once it is
    /// in effect.
    private func change(_ request: RouteRequest) async throws -> Reply {
        let caller = try request.caller()
        let stream = try streams.find(try request.name("name"), of: caller)
        let body = try request.json().members(of: ["topics", "add", "remove", "after"])
        let change = try TopicChange(body)
        for topic in change.added { try caller.checkSubscribe(to: topic) }
        try await hub.checkRuns(of: change.added)
        let head = hub.head
        let after = try body.position("after") ?? head
        guard after <= head else {
            throw BelfryError(.malformed, "after is beyond the end of the log, which is \(head)")
        }
        try stream.change(change, after: after, head: head)
        await stream.session.withConnection { stream.settle($0) }
        var json = stream.json
        json["position"] = .int(after)
        return .json(json)
    }
}

extension TopicChange {
    fileprivate init(_ body: JSONObject) throws(BelfryError) {
        let topics = try body.topics("topics")
        let add = try body.topics("add")
        let remove = try body.topics("remove")
        if let topics, add == nil, remove == nil {
            self = .replace(topics)
        } else if topics == nil, add != nil || remove != nil {
            self = .edit(add: add ?? [], remove: remove ?? [])
        } else {
            throw BelfryError(
                .malformed, #"say {"topics": […]}, which replaces them, or {"add": […], "remove": […]}"#)
        }
    }
}

extension NamedStream {
    fileprivate var json: JSONObject {
        let end = session.end
        return [
            "stream": .string(name), "topics": .array(topics.map { .string($0.description) }),
            "connected": .bool(end == nil), "expires_at": .optional(end?.description),
        ]
    }
}
