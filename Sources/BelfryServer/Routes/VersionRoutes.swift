import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// The versions of rules, sources and agents: seen, compared, brought back.
struct VersionRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        for kind in DocumentKind.allCases {
            let path = "/v1/\(kind.rawValue)s/:name"
            table.add(.get, path + "/versions", .role(.viewer)) { try await list($0, kind) }
            table.add(.get, path + "/versions/:version", .role(.viewer)) { try await get($0, kind) }
            table.add(.get, path + "/diff", .role(.viewer)) { try await difference($0, kind) }
            table.add(.post, path + "/rollback", .role(.admin)) { try await rollBack($0, kind) }
        }
    }

    private func list(_ request: RouteRequest, _ kind: DocumentKind) async throws -> Reply {
        let (limit, cursor) = try request.page()
        let page = try await hub.versions(
            of: DocumentName(kind, try request.name("name")), limit: limit, cursor: cursor)
        return .list(page.items, next: page.next)
    }

    private func get(_ request: RouteRequest, _ kind: DocumentKind) async throws -> Reply {
        guard let version = request.parameters["version"].flatMap({ Int64($0) }) else {
            throw BelfryError(.notFound, "a version is a number, as …/versions lists them")
        }
        return .json(try await hub.version(version, of: DocumentName(kind, try request.name("name"))))
    }

    /// `?from=&to=`
    private func difference(_ request: RouteRequest, _ kind: DocumentKind) async throws -> Reply {
        let id = DocumentName(kind, try request.name("name"))
        let (from, to) = (try request.version("from"), try request.version("to"))
        return .json(try await hub.difference(of: id, from: from, to: to))
    }

    /// `{version, adopt?}` → `{document, version, restored, changed, keys}`
    private func rollBack(_ request: RouteRequest, _ kind: DocumentKind) async throws -> Reply {
        let id = DocumentName(kind, try request.name("name"))
        let body = try request.json()
        guard let version = body["version"]?.number?.int64 else {
            throw BelfryError(.missingAttribute, "version must be the number of the version to bring back")
        }
        let change = try await hub.rollBack(
            id, to: version, precondition: try request.precondition(), adopts: body["adopt"]?.bool ?? false,
            by: try request.caller()
        )
        let held: JSONObject = [
            "document": .string(id.description), "version": hub.currentVersion(of: id).map { .int($0) } ?? .null,
            "restored": .int(version), "changed": .bool(change != nil),
            "keys": .array((change?.keys ?? []).map(JSONValue.string)),
        ]
        return .json(held, headers: held.entityTag)
    }
}

extension RouteRequest {
    fileprivate func version(_ parameter: String) throws(BelfryError) -> Int64? {
        guard let text = query[parameter] else { return nil }
        guard let version = Int64(text), version >= 0 else {
            throw BelfryError(.malformed, "\(parameter) must be the number of a version")
        }
        return version
    }
}
