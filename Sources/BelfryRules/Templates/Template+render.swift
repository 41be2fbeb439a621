public import BelfryCore

extension Template {
    /// What the text is for. It decides how a value is written.
    public enum Form: Sendable, Hashable {
        /// For a language model. A value inside a sentence is one line without control characters, at most 512 bytes.
        /// `{{event}}`, `{{group}}` and `{{steps.NAME.output}}` are set off between two lines that carry `fence`, at most 16 KiB.
        ///
        /// The fence is drawn at random for each run, so that no payload can know it; where a payload holds it all the
        /// same, it is taken out.
        case prompt(fence: String)
        /// As it is: strings without quotes, everything else as JSON.
        case plain
        /// For one element of an argument list: like plain, but without NUL bytes, which an argument cannot hold.
        case argument
    }

    /// The text with its values, and the paths that led to nothing (each once, in order).
    public struct Rendered: Sendable, Hashable {
        public var text: String
        public var missing: [String]
    }

    /// Puts the values in. What a value holds is never read as a template again.
    /// - Parameters:
    ///   - context: an object with a member per root.
    ///   - bytesMax: a text that is longer is not finished, and is longer all the same: a short text may ask for a large
    ///     value thousands of times.
    public func render(_ context: JSONValue, as form: Form, bytesMax: Int = .max) -> Rendered {
        var rendered = Rendered(text: "", missing: [])
        for segment in segments {
            if rendered.text.utf8.count > bytesMax { break }
            switch segment {
            case .literal(let text): rendered.text += text
            case .value(let path):
                guard let value = path.value(in: context) else {
                    if !rendered.missing.contains(path.text) { rendered.missing.append(path.text) }
                    continue
                }
                rendered.text += Self.text(of: value, at: path, as: form)
            }
        }
        if case .prompt = form, rendered.text.utf8.count > Limits.promptBytesMax {
            rendered.text = rendered.text.cutWithNote(toBytes: Limits.promptBytesMax)
        }
        return rendered
    }

    private static func text(of value: JSONValue, at path: TemplatePath, as form: Form) -> String {
        let text = value.string ?? value.text
        switch form {
        case .plain: return text
        case .argument: return String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\0" }))
        case .prompt(let fence):
            let safe = text.without(fence)
            guard let name = path.fenceName else { return safe.inlined(toBytes: Limits.promptValueBytesMax) }
            let line = fence.isEmpty ? name : "\(name) \(fence)"
            return "\n<<<\(line)\n\(safe.cutWithNote(toBytes: Limits.promptEventBytesMax))\n>>>\(line)\n"
        }
    }
}

extension TemplatePath {
    /// What is set off by fences in a prompt: the whole event, the whole group and the whole result of a step.
    fileprivate var fenceName: String? {
        if root == "event" || root == "group", parts.isEmpty { return root }
        if root == "steps", parts.count == 2, case .key(let name) = parts[0], case .key(let result) = parts[1],
            StepResult.whole.contains(result)
        {
            return "steps.\(name).\(result)"
        }
        return nil
    }
}

extension String {
    /// The text with `[…]` in place of the fence. By bytes, so that no combining character hides it.
    fileprivate func without(_ fence: String) -> String {
        let fence = Array(fence.utf8)
        let bytes = Array(utf8)
        guard !fence.isEmpty, bytes.contains(fence) else { return self }
        var kept: [UInt8] = []
        var rest = bytes[...]
        while let range = rest.firstRange(of: fence) {
            kept += rest[..<range.lowerBound] + "[…]".utf8
            rest = rest[range.upperBound...]
        }
        return String(decoding: kept + rest, as: UTF8.self)
    }

    /// The text as one line: white space and control characters become a space, characters that are invisible but change
    /// how the rest is read (direction marks, tags) go. At most `count` bytes; a cut text ends with `…`.
    fileprivate func inlined(toBytes count: Int) -> String {
        var line = String.UnicodeScalarView()
        var bytes = 0
        for scalar in unicodeScalars {
            // Enough to see that it must be cut.
            if bytes > count { break }
            switch scalar.value {
            case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0xE0000...0xE007F: continue
            default: break
            }
            let written: Unicode.Scalar =
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: " "
                default: scalar
                }
            line.append(written)
            bytes += UTF8.width(written)
        }
        let text = String(line)
        return text.utf8.count <= count ? text : text.cut(toBytes: count - "…".utf8.count) + "…"
    }

    /// The text, or its beginning and how much is left out.
    fileprivate func cutWithNote(toBytes count: Int) -> String {
        guard utf8.count > count else { return self }
        let beginning = cut(toBytes: count)
        return beginning + "[… \(utf8.count - beginning.utf8.count) bytes more]"
    }
}
