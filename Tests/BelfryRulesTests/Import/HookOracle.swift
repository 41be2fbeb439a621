import BelfryCore

/// What webhook 2.8 makes of a rule, written after its source and as plainly as it is there.
struct HookOracle {
    /// Canonical names.
    var headers: [String: String]
    var payload: JSONValue
    /// Decides the expressions that the tests use.
    var expressions: [String: @Sendable (String) -> Bool]

    enum Failure { case missing, other }

    func triggers(_ rule: JSONValue) -> Bool {
        let (verdict, failure) = evaluate(rule)
        return verdict && failure != .other
    }

    private func evaluate(_ rule: JSONValue) -> (Bool, Failure?) {
        if let rules = rule["and"]?.array {
            for rule in rules {
                let (verdict, failure) = evaluate(rule)
                if failure != nil || !verdict { return (false, failure) }
            }
            return (true, nil)
        }
        if let rules = rule["or"]?.array {
            for rule in rules {
                let (verdict, failure) = evaluate(rule)
                if failure == .other { return (false, .other) }
                if verdict { return (true, nil) }
            }
            return (false, nil)
        }
        if let rule = rule["not"] {
            let (verdict, failure) = evaluate(rule)
            return (!verdict, failure)
        }
        guard let match = rule["match"] else { return (false, nil) }
        guard let text = parameter(match["parameter"] ?? .null) else { return (false, .missing) }
        if match["type"]?.string == "value" { return (text.hasSameBytes(as: match["value"]?.string ?? ""), nil) }
        return (expressions[match["regex"]?.string ?? ""]?(text) ?? false, nil)
    }

    private func parameter(_ parameter: JSONValue) -> String? {
        let name = parameter["name"]?.string ?? ""
        switch parameter["source"]?.string {
        case "header": return headers[name]
        case "string": return name
        default:
            var value: JSONValue? = payload
            for part in name.split(separator: ".") { value = value?[String(part)] }
            guard let value else { return nil }
            return value.isNull ? "<nil>" : value.string ?? value.text
        }
    }
}
