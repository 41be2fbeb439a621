public import BelfryCore

/// A value whose texts are templates: the body of a message or a request, the variables of an app. Its keys are none.
///
/// The value is encoded after it was rendered, so that nothing that is put in can add a member or change a text's end.
public struct TemplateValue: Sendable, Hashable {
    indirect enum Part: Sendable, Hashable {
        case fixed(JSONValue)
        case text(Template)
        case list([Part])
        case object([Member])
    }

    struct Member: Sendable, Hashable {
        var key: String
        var part: Part
    }

    /// What becomes of a text that is exactly one `{{path}}`.
    public enum Form: Sendable, Hashable {
        /// Text, as of every other one.
        case texts
        /// The value itself: a number stays a number. One that is not there is null.
        case values
    }

    let root: Part

    /// - Throws: Where and why the first text that is no template is none.
    public init(_ value: JSONValue, roots: Set<String>) throws(TemplateError) {
        root = try Self.part(value, roots)
    }

    init(_ root: Part) { self.root = root }

    private static func part(_ value: JSONValue, _ roots: Set<String>) throws(TemplateError) -> Part {
        switch value {
        case .string(let text): return .text(try Template(parsing: text, roots: roots))
        case .array(let elements):
            var parts: [Part] = []
            for element in elements { parts.append(try part(element, roots)) }
            return .list(parts)
        case .object(let object):
            var members: [Member] = []
            for member in object.members {
                members.append(Member(key: member.key, part: try part(member.value, roots)))
            }
            return .object(members)
        case .null, .bool, .number: return .fixed(value)
        }
    }

    /// All texts, in the order of the document.
    var templates: [Template] { Self.templates(of: root) }

    private static func templates(of part: Part) -> [Template] {
        switch part {
        case .fixed: []
        case .text(let template): [template]
        case .list(let parts): parts.flatMap { templates(of: $0) }
        case .object(let members): members.flatMap { templates(of: $0.part) }
        }
    }

    /// Whether a text asks for something below a root (``Template/stepRoots``).
    public func asksFor(root: String) -> Bool { templates.contains { $0.asksFor(root: root) } }

    /// The value, if it has no places for others.
    var constant: JSONValue? {
        guard templates.allSatisfy(\.isLiteral) else { return nil }
        var missing: [String] = []
        return try? render(.null, missing: &missing)
    }
}
