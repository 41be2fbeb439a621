import BelfryCore

/// An agent's answer that is to be JSON of a schema (`output: {schema}`).
enum StructuredAnswer {
    case value(JSONValue)
    /// What is wrong with it, for the model and for people.
    case faulty(String)

    /// Models put prose or a fence around their JSON: what stands between its first and last bracket is read too.
    init(_ text: String, _ schema: JSONSchema) {
        guard let value = Self.value(in: text) else {
            self = .faulty("it is not JSON")
            return
        }
        let faults = schema.faults(in: value, named: "output")
        self = faults.isEmpty ? .value(value) : .faulty(faults.map(\.description).joined(separator: "; "))
    }

    private static func value(in text: String) -> JSONValue? {
        if let value = try? JSONValue(parsing: Array(text.utf8)) { return value }
        let bytes = Array(text.utf8)
        let (open, close) = (Array("{[".utf8), Array("}]".utf8))
        guard let first = bytes.firstIndex(where: open.contains), let last = bytes.lastIndex(where: close.contains),
            first < last
        else { return nil }
        return try? JSONValue(parsing: Array(bytes[first...last]))
    }

    /// What the model is told when its first answer does not fit.
    static func repairPrompt(_ faults: String) -> String {
        "Your answer does not fit its JSON Schema: \(faults.plain(bytesMax: Limits.errorTextBytesMax)). "
            + "Answer once more, with the corrected JSON alone."
    }
}
