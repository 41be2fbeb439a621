/// A place in an event, written as in templates: `data.customer.email`, `data.items[0]`, `headers["x-api-user"]`.
///
/// An array on the way means each of its elements, unless an index picks one.
public struct EventPath: Sendable, Hashable, CustomStringConvertible {
    /// The members of an event that a sender fills and nothing else depends on.
    public enum Root: String, Sendable, Hashable, CaseIterable { case data, headers, subject, ext }

    public enum Part: Sendable, Hashable {
        case key(String)
        case index(Int)
    }

    public var root: Root
    public var parts: [Part]

    public init(_ root: Root, _ parts: [Part] = []) {
        self.root = root
        self.parts = parts
    }

    public var description: String {
        parts.reduce(into: root.rawValue) { text, part in
            switch part {
            case .key(let key): text += "[" + JSONValue.string(key).text + "]"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}
