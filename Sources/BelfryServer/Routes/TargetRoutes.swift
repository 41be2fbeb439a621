import BelfryCore
import BelfryEngine
import HTTPTypes

/// Where `send` steps may post to. The configuration file alone says what targets there are.
struct TargetRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/targets", .role(.viewer)) { _ in .list(try await hub.targets()) }
        table.add(.post, "/v1/targets/:name/enable", .role(.operator)) { request in
            .json(try await hub.enableTarget(try request.name("name"), by: try request.caller()))
        }
    }
}
