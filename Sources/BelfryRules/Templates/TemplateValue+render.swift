public import BelfryCore

extension TemplateValue {
    /// Puts the values in, each as it is: strings without quotes, everything else as JSON.
    /// - Parameters:
    ///   - missing: gets the paths that led to nothing, each once.
    ///   - bytesMax: of all texts and values together.
    /// - Throws: `payload_too_large` past `bytesMax`.
    public func render(
        _ context: JSONValue, as form: Form = .texts, missing: inout [String],
        bytesMax: Int = Limits.renderedBodyBytesMax
    ) throws(BelfryError) -> JSONValue {
        var rendering = Rendering(
            context: context, form: form, missing: missing, bytesMax: bytesMax, bytesLeft: bytesMax)
        defer { missing = rendering.missing }
        return try rendering.value(of: root)
    }

    private struct Rendering {
        let context: JSONValue
        let form: Form
        var missing: [String]
        let bytesMax: Int
        var bytesLeft: Int

        mutating func value(of part: Part) throws(BelfryError) -> JSONValue {
            switch part {
            case .fixed(let value): return value
            case .text(let template):
                if form == .values, let path = template.onlyPlace { return try value(at: path) }
                let rendered = template.render(context, as: .plain, bytesMax: bytesLeft)
                try take(rendered.text.utf8.count)
                rendered.missing.forEach { note(missing: $0) }
                return .string(rendered.text)
            case .list(let parts):
                var elements: [JSONValue] = []
                for part in parts { elements.append(try value(of: part)) }
                return .array(elements)
            case .object(let members):
                var rendered: [JSONObject.Member] = []
                for member in members {
                    rendered.append(JSONObject.Member(key: member.key, value: try value(of: member.part)))
                }
                return .object(JSONObject(rendered))
            }
        }

        private mutating func value(at path: TemplatePath) throws(BelfryError) -> JSONValue {
            guard let value = path.value(in: context) else {
                note(missing: path.text)
                return .null
            }
            try take(value.string?.utf8.count ?? value.text.utf8.count)
            return value
        }

        private mutating func note(missing path: String) {
            if !missing.contains(path) { missing.append(path) }
        }

        private mutating func take(_ count: Int) throws(BelfryError) {
            bytesLeft -= count
            guard bytesLeft >= 0 else {
                throw BelfryError(.payloadTooLarge, "the rendered body is longer than \(bytesMax) bytes")
            }
        }
    }
}
