import BelfryCore

/// JSON on the command line.
enum JSONArgument {
    /// - Throws: a ``Failure`` of usage that names the option.
    static func value(_ text: String, of option: String) throws -> JSONValue {
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw Failure(.usage, "\(option) is not JSON: \(error.description); a text needs its quotes: '\"text\"'")
        }
    }

    /// `NAME=VALUE`: VALUE as JSON, or as a text where it is none.
    static func assignment(_ text: String, of option: String) throws -> (name: String, value: JSONValue) {
        let (name, value) = try pair(text, of: option)
        return (name, (try? JSONValue(parsing: value)) ?? .string(value))
    }

    /// `NAME=VALUE`
    static func pair(_ text: String, of option: String) throws -> (name: String, value: String) {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
            throw Failure(.usage, "\(option) takes NAME=VALUE, and not '\(text.prefix(80))'")
        }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }
}
