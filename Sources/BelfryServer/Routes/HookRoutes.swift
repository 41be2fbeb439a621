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
        table.add(.post, "/hooks/:source", .delivery, isBrief: true) {
            $0.isDryRun ? try await rehearse($0) : try await receive($0)
        }
        table.add(.options, "/hooks/:source", .open, receive)
        table.add(.get, "/hooks/:source", .open, answerChallenge)
    }

    private func receive(_ request: RouteRequest) async throws -> Reply {
        switch try await hub.receive(source: source(of: request), Self.delivery(request)) {
        case .answered(let answer), .stored(_, _, let answer?):
            return .answer(answer)
        case .stored(let events, let isBatch, nil):
            return .stored(events, isBatch: isBatch)
        }
    }

    /// `POST /hooks/{source}?dry_run`, by an operator: the `Authorization` is theirs and not the sender's.
    private func rehearse(_ request: RouteRequest) async throws -> Reply {
        let delivery = Self.delivery(request, without: "authorization")
        return .json(try await hub.rehearse(source: source(of: request), delivery).json)
    }

    /// A sender's question by GET, for sources that have an answer to it.
    private func answerChallenge(_ request: RouteRequest) async throws -> Reply {
        guard hub.answersChallenges(source: source(of: request)) else {
            let allowed = "POST, OPTIONS"
            throw BelfryError(
                .methodNotAllowed, "this path answers \(allowed)", details: ["allow": .string(allowed)])
        }
        var delivery = Self.delivery(request)
        // A HEAD asks what a GET would be answered.
        delivery.method = "GET"
        guard case .answered(let answer) = try await hub.receive(source: source(of: request), delivery) else {
            throw BelfryError(.methodNotAllowed, "a question has no event")
        }
        return .answer(answer)
    }

    private func source(of request: RouteRequest) -> String { request.parameters["source"] ?? "" }

    /// The request as sources read it.
    static func delivery(_ request: RouteRequest, without header: String? = nil) -> Delivery {
        Delivery(
            method: request.head.method.rawValue, query: request.query.parameters,
            headers: HeaderFields(
                request.headers.map { ($0, $1) },
                // A trace context that is not one is not passed on.
                where: { $0 != header && ($0 != "traceparent" || TraceParent.isValid($1)) }),
            body: request.bodyBytes, remote: request.peer.address, isLoopback: request.peer.isLoopback,
            received: request.received
        )
    }
}

extension Reply {
    /// What became of a delivery's events: 202, or 200 where all of them were known.
    static func stored(_ events: [AcceptedEvent], isBatch: Bool) -> Reply {
        let status = !events.isEmpty && events.allSatisfy { $0.status == .duplicate } ? 200 : 202
        if !isBatch, let event = events.first { return .json(event.json, status: status) }
        return .json(["events": .array(events.map { .object($0.json) })], status: status)
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
