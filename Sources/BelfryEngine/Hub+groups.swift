public import BelfryCore
public import BelfryStore

extension Hub {
    /// The open groups of a rule, newest first. Throws `not_found`.
    public func groups(of rule: String, limit: Int, cursor: String?) async throws(BelfryError) -> Page<GroupSummary> {
        guard registry.snapshot.rules[rule] != nil else { throw unknown(DocumentName(.rule, rule)) }
        return try await store.openGroups(of: rule, cursor: cursor, max: limit)
    }

    /// Throws `not_found`.
    public func group(_ id: GroupID) async throws(BelfryError) -> GroupSummary { try await store.group(id).summary }
}
