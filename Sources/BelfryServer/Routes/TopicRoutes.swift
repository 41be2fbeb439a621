import BelfryCore
import BelfryEngine
import HTTPTypes

/// `POST /v1/topics/custom/{name}`: a frame of the caller's own.
struct TopicRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.post, "/v1/topics/custom/:name", .publisher, checksScopes: true, isBrief: true, publish)
    }

    private func publish(_ request: RouteRequest) async throws -> Reply {
        let caller = try request.caller()
        let name = try request.name("name")
        try caller.checkPublish(to: .custom(name))
        let data: RawJSON
        do {
            data = try RawJSON(validating: request.bodyBytes)
        } catch {
            throw BelfryError(.invalidJSON, error.description)
        }
        let position = try await hub.publish(custom: name, data: data, by: caller)
        return .json(["position": .int(position)], status: 202)
    }
}
