import BelfryCore

/// Whether a path can lead to anything in a value that satisfies a schema.
enum SchemaPath {
    /// What is wrong with a path; nil also where the schema does not say enough (`anyOf`, `$ref`).
    ///
    /// A schema that lists `properties` means those, unless it says something of `additionalProperties` that lets others in.
    static func fault(of parts: ArraySlice<TemplatePath.Part>, in schema: JSONSchema, named name: String) -> String? {
        var (schema, name) = (schema.json, name)
        for part in parts {
            guard let object = schema.object, !openKeywords.contains(where: { object[$0] != nil }) else { return nil }
            switch part {
            case .key(let key):
                if let fault = unless("object", is: object["type"], name) { return fault }
                if let property = object["properties"]?[key] {
                    schema = property
                } else if let rest = object["additionalProperties"], rest != false {
                    schema = rest
                } else {
                    guard let properties = object["properties"]?.object else { return nil }
                    let known = properties.members.map(\.key)
                    let nearest = NearestName.of(key, among: known).map { "did you mean '\($0)'?" }
                    let all = "its schema has \(known.joined(separator: ", "))"
                    return "'\(name)' has no '\(key.cut(toBytes: 80))'; \(nearest ?? all)"
                }
                name += ".\(key)"
            case .index(let index):
                if let fault = unless("array", is: object["type"], name) { return fault }
                guard object["prefixItems"] == nil, let items = object["items"] else { return nil }
                schema = items
                name += "[\(index)]"
            }
        }
        return nil
    }

    /// Keywords by which more may be in a value than stands beside them.
    private static let openKeywords = ["$ref", "allOf", "anyOf", "oneOf", "not", "enum", "const"]

    private static func unless(_ type: JSONValue, is allowed: JSONValue?, _ name: String) -> String? {
        guard let allowed else { return nil }
        let types = allowed.array ?? [allowed]
        if types.contains(type) { return nil }
        let told = types.compactMap(\.string).joined(separator: " or ")
        return "by its schema '\(name)' is \(told), no \(type.string ?? ""), and has nothing below it"
    }
}
