import BelfryCore
import BelfryEngine
import HTTPTypes

/// `POST /v1/topics/custom/{name}`: a frame of the caller's own.
struct TopicRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) { table.add(.post, "/v1/topics/custom/:name", .publisher, publish) }

    private func publish(_ request: RouteRequest) async throws -> Reply {
        let data: RawJSON
        do {
            data = try RawJSON(validating: request.bodyBytes)
        } catch {
            throw BelfryError(.invalidJSON, error.description)
        }
        let position = try await hub.publish(custom: try request.name("name"), data: data, by: try request.caller())
        return .json(["position": .int(position)], status: 202)
    }
}
