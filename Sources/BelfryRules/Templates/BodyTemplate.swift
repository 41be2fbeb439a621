public import BelfryCore

/// A value whose texts are templates: the body of a request, the variables of an app. Its keys are none.
///
/// What is put in is text and stays text: the value is encoded after it was rendered, so no payload can add a member.
public struct BodyTemplate: Sendable, Hashable {
    private indirect enum Part: Sendable, Hashable {
        case fixed(JSONValue)
        case text(Template)
        case list([Part])
        case object([Member])
    }

    private struct Member: Sendable, Hashable {
        var key: String
        var part: Part
    }

    private let root: Part

    /// - Throws: Where and why the first text that is no template is none.
    public init(_ value: JSONValue, roots: Set<String>) throws(TemplateError) {
        root = try Self.part(value, roots)
    }

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

    /// Puts the values in, each as it is: strings without quotes, everything else as JSON.
    /// - Parameter missing: gets the paths that led to nothing, each once.
    /// - Throws: `payload_too_large` past ``Limits/renderedBodyBytesMax``.
    public func render(_ context: JSONValue, missing: inout [String]) throws(BelfryError) -> JSONValue {
        var bytesLeft = Limits.renderedBodyBytesMax
        return try Self.render(root, context, &missing, &bytesLeft)
    }

    private static func render(
        _ part: Part, _ context: JSONValue, _ missing: inout [String], _ bytesLeft: inout Int
    ) throws(BelfryError) -> JSONValue {
        switch part {
        case .fixed(let value): return value
        case .text(let template):
            let rendered = template.render(context, as: .plain)
            bytesLeft -= rendered.text.utf8.count
            guard bytesLeft >= 0 else {
                throw BelfryError(
                    .payloadTooLarge, "the rendered body is longer than \(Limits.renderedBodyBytesMax) bytes")
            }
            for path in rendered.missing where !missing.contains(path) { missing.append(path) }
            return .string(rendered.text)
        case .list(let parts):
            var elements: [JSONValue] = []
            for part in parts { elements.append(try render(part, context, &missing, &bytesLeft)) }
            return .array(elements)
        case .object(let members):
            var rendered: [JSONObject.Member] = []
            for member in members {
                let value = try render(member.part, context, &missing, &bytesLeft)
                rendered.append(JSONObject.Member(key: member.key, value: value))
            }
            return .object(JSONObject(rendered))
        }
    }

    /// Whether a text asks for something below a root (``Template/stepRoots``).
    public func asksFor(root: String) -> Bool { Self.asks(self.root, for: root) }

    private static func asks(_ part: Part, for root: String) -> Bool {
        switch part {
        case .fixed: false
        case .text(let template): template.asksFor(root: root)
        case .list(let parts): parts.contains { asks($0, for: root) }
        case .object(let members): members.contains { asks($0.part, for: root) }
        }
    }
}
