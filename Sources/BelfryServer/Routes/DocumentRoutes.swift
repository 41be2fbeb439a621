import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// `POST /v1/documents`: a set of rules, sources and agents, applied all or nothing.
struct DocumentRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) { table.add(.post, "/v1/documents", .role(.admin), apply) }

    /// `{files: [{path, text}], dry_run?, adopt?}`
    private func apply(_ request: RouteRequest) async throws -> Reply {
        let body = try request.json()
        guard let files = body["files"]?.array else {
            throw BelfryError(.missingAttribute, "files must be a list of {path, text}")
        }
        let pairs = try files.enumerated().map { index, file throws(BelfryError) in
            guard let path = file["path"]?.string, let text = file["text"]?.string else {
                throw BelfryError(.missingAttribute, "files[\(index)] needs path and text")
            }
            return (path: path, text: text)
        }
        let applied = try await hub.applyDocuments(
            pairs, dryRun: body["dry_run"]?.bool ?? false, adopts: body["adopt"]?.bool ?? false,
            by: try request.caller()
        )
        let plan = applied.plan
        func list(_ names: [DocumentName]) -> JSONValue { .array(names.map { .string($0.description) }) }
        return .json([
            "created": list(plan.created), "changed": list(plan.changed), "removed": list(plan.removed),
            "unchanged": .int(plan.unchanged), "ruleset_version": .int(plan.ruleSetVersion),
            "warnings": .array(applied.warnings.map(JSONValue.string)),
        ])
    }
}
