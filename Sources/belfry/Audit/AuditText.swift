import BelfryCore

/// What an audit entry says beside who, what and on what, in words.
enum AuditText {
    /// Digests and ids are for programs: `--output json` has them.
    private static let left: Set = ["digest", "token"]
    private static let ofVersions: Set = ["version", "version_before", "keys", "restored", "owner_before"]

    /// `version 3 → 4: limits, when, owner api`
    static func detail(of entry: JSONValue) -> String {
        let detail = entry["detail"] ?? .null
        let others = (detail.object?.members ?? []).filter { member in
            !left.contains(member.key) && !ofVersions.contains(member.key) && !isNothing(member.value)
        }
        let words = [versions(detail)].compactMap { $0 } + others.map { "\($0.key) \($0.value.cell)" }
        return words.joined(separator: ", ")
    }

    /// Which version became which, and what differs.
    private static func versions(_ detail: JSONValue) -> String? {
        guard detail["version"] != nil else { return nil }
        let before = detail["version_before"].map { "\($0.cell) → " } ?? ""
        var text = "version \(before)\(detail.cell("version"))"
        if detail["restored"] != nil { text += " as \(detail.cell("restored"))" }
        if let keys = detail["keys"]?.array { text += ": \(keys.isEmpty ? "same meaning" : detail.cell("keys"))" }
        if detail["owner_before"] != nil { text += ", taken over from \(detail.cell("owner_before"))" }
        return text
    }

    private static func isNothing(_ value: JSONValue) -> Bool {
        value.isNull || value.array?.isEmpty == true
    }
}
