public import BelfryCore

/// The argument list of a command, made from templates. No shell sees it.
public enum CommandArguments {
    /// Renders every element.
    ///
    /// An element whose beginning comes from data must not become an option: where it begins with `-` and no `--` stands
    /// before it, the whole command is refused.
    /// - Parameter missing: gets the paths that led to nothing, each once.
    /// - Throws: `command_not_allowed`, with the number of the element, never its value.
    public static func render(
        _ templates: [Template], _ context: JSONValue, missing: inout [String]
    ) throws(BelfryError) -> [String] {
        var arguments: [String] = []
        var mayBeginWithDash = false
        for (index, template) in templates.enumerated() {
            let rendered = template.render(context, as: .argument, bytesMax: Limits.commandArgumentBytesMax)
            guard rendered.text.utf8.count <= Limits.commandArgumentBytesMax else {
                throw BelfryError(
                    .commandNotAllowed,
                    "argument \(index) is longer than \(Limits.commandArgumentBytesMax) bytes")
            }
            if !mayBeginWithDash, template.beginsWithData, rendered.text.utf8.first == UInt8(ascii: "-") {
                throw BelfryError(
                    .commandNotAllowed,
                    "argument \(index) (\(template.text.cut(toBytes: 80))) comes from data and begins with '-'; put \"--\" before it"
                )
            }
            if template.isLiteral, template.text == "--" { mayBeginWithDash = true }
            arguments.append(rendered.text)
            for path in rendered.missing where !missing.contains(path) { missing.append(path) }
        }
        return arguments
    }
}

extension Template {
    /// Whether data decides how the text begins, or what the dashes it begins with mean.
    fileprivate var beginsWithData: Bool {
        guard !isLiteral, case .literal(let text)? = segments.first else { return !isLiteral }
        return text.utf8.allSatisfy { $0 == UInt8(ascii: "-") }
    }
}
