import BelfryCore
import Yams

/// Reads hook files: YAML or JSON, a list of hooks.
enum HookFile {
    /// - Throws: why the file holds no hooks, with line and path.
    static func hooks(in text: String, file: String) throws(DocumentErrors) -> [Hook] {
        let text = text.withoutByteOrderMark
        if let line = lineOfTemplate(in: text) {
            throw DocumentErrors([Diagnostic(file: file, line: line, path: "", message: templateRefused)])
        }
        let nodes: [DocumentNode]
        switch YAMLReader.documents(in: text, file: file) {
        case .failure(let diagnostic): throw DocumentErrors([diagnostic])
        case .success(let read): nodes = read
        }
        guard nodes.count == 1, case .array(let elements) = nodes[0].content else {
            throw DocumentErrors([
                Diagnostic(
                    file: file, line: nodes.first?.line ?? 1, path: "",
                    message: "a hooks file is one list of hooks: [{\"id\": …, \"execute-command\": …}]")
            ])
        }
        var diagnostics = ambiguousScalars(in: text, file: file)
        var hooks: [Hook] = []
        for (index, element) in elements.enumerated() {
            var decoder = HookDecoder(file: file)
            let hook = decoder.hook(element, path: "[\(index)]")
            diagnostics += decoder.diagnostics
            if let hook { hooks.append(hook) }
        }
        guard diagnostics.isEmpty else { throw DocumentErrors(diagnostics.sorted { $0.line < $1.line }) }
        return hooks
    }

    private static let templateRefused = """
        '{{' marks a Go template (webhook -template), and what it makes is not known here: render it with the \
        environment that webhook has, perl -pe 's/\\{\\{\\s*getenv\\s+"(\\w+)"[^}]*\\}\\}/$ENV{$1}/g' FILE > new.json, \
        import that, and remove it (secrets are taken out of what is written)
        """

    private static func lineOfTemplate(in text: String) -> Int? {
        guard let open = text.firstRange(of: "{{") else { return nil }
        // Outside of texts, two braces never open in a row: a mapping is no key.
        return text[..<open.lowerBound].utf8.count { $0 == UInt8(ascii: "\n") } + 1
    }

    // MARK: YAML 1.1

    /// Words that webhook's parser (YAML 1.1) takes for something else than the text they look like.
    private static let words: Set<String> = [
        "y", "yes", "on", "n", "no", "off", "~", ".inf", "-.inf", "+.inf", ".nan", "true", "false", "null",
    ]

    /// Plain scalars that mean one thing to webhook and another here; in quotes they mean one thing.
    private static func ambiguousScalars(in text: String, file: String) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        func walk(_ node: Node) {
            switch node {
            case .scalar(let scalar):
                guard scalar.style == .plain || scalar.style == .any, isAmbiguous(scalar.string) else { return }
                diagnostics.append(
                    Diagnostic(
                        file: file, line: node.mark?.line ?? 1, path: "",
                        message:
                            "'\(scalar.string.prefix(40))' without quotes is not the text it looks like to webhook "
                            + "(YAML 1.1); put it in quotes"))
            case .sequence(let sequence): sequence.forEach(walk)
            case .mapping(let mapping): mapping.forEach { walk($0.value) }
            case .alias: break
            }
        }
        // The text was read once already, so that nothing here can fail or grow.
        guard let parser = try? Parser(yaml: text, resolver: .basic, encoding: .utf8) else { return [] }
        withExtendedLifetime(parser) {
            if let root = try? parser.nextRoot() { walk(root) }
        }
        return diagnostics
    }

    private static func isAmbiguous(_ text: String) -> Bool {
        if ["true", "false", "null"].contains(text) { return false }
        if words.contains(text.lowercased()) { return true }
        guard let first = text.utf8.first, first &- 0x30 < 10 || "+-.".utf8.contains(first) else { return false }
        // A whole number as JSON writes it is one text to both.
        if HookDecoder.isWholeNumber(text) { return false }
        // Other numbers, and what YAML 1.1 takes for one: 010, 1_000, 1:30, 0x1F, 1.10, 2026-01-02.
        return text.utf8.allSatisfy { "0123456789+-._:eExXabcdefABCDEFoT Z".utf8.contains($0) }
    }
}
