import BelfryCore

extension Document {
    /// Fields of a rule's `when` and `resolve.when` that no event has, most often because `data` is missing before them: a line each, for
    /// a person. No error, because an event may come to have them.
    public var unknownFields: [String] {
        func fields(_ pattern: JSONValue?) -> [String] {
            (pattern?.object?.members ?? []).flatMap { member in
                member.key == "$or"
                    ? (member.value.array ?? []).flatMap(fields) : [String(member.key.prefix { $0 != "." })]
            }
        }
        guard kind == .rule else { return [] }
        let value = canonical.value
        return [("when", value["when"]), ("resolve.when", value["resolve"]?["when"])].flatMap { path, pattern in
            fields(pattern).filter { !Event.fieldNames.contains($0) }.map { field in
                let nearest = NearestName.of(field, among: Event.fieldNames).map { "did you mean '\($0)'?" }
                let hint = nearest ?? "what the sender wrote is below data"
                return "rule \(name): \(path): no event has a field '\(field.prefix(80))'; \(hint)"
            }
        }
    }
}
