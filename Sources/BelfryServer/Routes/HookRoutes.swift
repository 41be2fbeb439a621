import BelfryCore
import BelfryEngine
import BelfrySources
import BelfryStore
import HTTPTypes
import NIOHTTP1

/// `POST /hooks/{source}`: the front door. Deliveries prove themselves; no token is asked for.
struct HookRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.post, "/hooks/:source", .open, receive)
        table.add(.options, "/hooks/:source", .open, receive)
    }

    private func receive(_ request: RouteRequest) async throws -> Reply {
        let delivery = Delivery(
            method: request.head.method.rawValue, headers: HeaderFields(Self.headers(of: request)),
            body: request.bodyBytes, remote: request.peer.address, isLoopback: request.peer.isLoopback,
            received: request.received
        )
        switch try await hub.receive(source: request.parameters["source"] ?? "", delivery) {
        case .answered(let answer), .stored(_, _, let answer?):
            return .answer(answer)
        case .stored(let events, let isBatch, nil):
            let status = !events.isEmpty && events.allSatisfy { $0.status == .duplicate } ? 200 : 202
            if !isBatch, let event = events.first { return .json(event.json, status: status) }
            return .json(["events": .array(events.map { .object($0.json) })], status: status)
        }
    }

    /// A trace context that is not one is not passed on.
    private static func headers(of request: RouteRequest) -> [(name: String, value: String)] {
        request.headers.compactMap { name, value in
            name.lowercased() == "traceparent" && !TraceParent.isValid(value) ? nil : (name, value)
        }
    }
}

extension AcceptedEvent {
    /// What the sender is told: `{event, status, first_seen?, runs}`.
    fileprivate var json: JSONObject {
        var json: JSONObject = ["event": .string(event.description), "status": .string(status.rawValue)]
        if let firstSeen { json["first_seen"] = .string(firstSeen.description) }
        json["runs"] = .array(runs.map { .string($0.description) })
        return json
    }
}
