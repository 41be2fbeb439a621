import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes

/// `POST /v1/documents`: a set of rules, sources and agents, applied all or nothing.
struct DocumentRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) { table.add(.post, "/v1/documents", .role(.admin), apply) }

    /// `{files: [{path, text}], dry_run?, adopt?, prune?, version?, diff?}`
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
            prunes: body["prune"]?.bool ?? false, expectedVersion: body["version"]?.number?.int64,
            by: try request.caller()
        )
        let plan = applied.plan
        func list(_ names: [DocumentName]) -> JSONValue { .array(names.map { .string($0.description) }) }
        var diffBytesLeft = body["diff"]?.bool == true ? Limits.planDiffBytesMax : 0
        let changes = plan.changes.map { change -> JSONValue in
            var json = change.json
            guard diffBytesLeft > 0 else { return .object(json) }
            let diff = change.difference
            diffBytesLeft -= diff.utf8.count
            if diffBytesLeft >= 0 { json["diff"] = .string(diff) }
            return .object(json)
        }
        return .json([
            "created": list(plan.created), "changed": list(plan.changed), "removed": list(plan.removed),
            "unchanged": .int(plan.unchanged), "ruleset_version": .int(plan.ruleSetVersion),
            "changes": .array(changes),
            "warnings": .array(applied.warnings.map(JSONValue.string)),
        ])
    }
}

extension DocumentChange {
    /// `{document, change, version_before?, owner_before?, keys}`
    fileprivate var json: JSONObject {
        var json: JSONObject = ["document": .string(id.description), "change": .string(change.rawValue)]
        if let before {
            json["version_before"] = .int(before.version)
            json["owner_before"] = .string(before.owner.rawValue)
        }
        json["keys"] = .array(keys.map(JSONValue.string))
        return json
    }
}
