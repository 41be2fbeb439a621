public import BelfryCore

/// Reads documents: all of a set or none, with every diagnostic at once.
public enum DocumentLoader {
    /// Reads files of YAML or JSON; a file may hold several documents, separated by `---`.
    ///
    /// Names must be unique within their kind, and every agent that a rule names must be in the set or in `knownAgents`.
    /// - Parameters:
    ///   - files: `path` is only used to say where something is wrong.
    ///   - knownAgents: nil: any name may be that of an agent, or of a source, that is defined elsewhere.
    ///   - knownSources: sources beside those of the set: those that send alerts resolve rules by themselves.
    ///   - server: what the configuration lets steps do.
    /// - Returns: the documents in the order of the files.
    public static func load(
        _ files: [(path: String, text: String)], knownAgents: Set<String>? = [],
        knownSources: [String: Preset] = [:], server: ServerSettings = ServerSettings()
    ) throws(DocumentErrors) -> [Document] {
        var diagnostics: [Diagnostic] = []
        var loaded: [LoadedDocument] = []
        var agentsUsed: [DocumentDecoder.AgentReference] = []
        var agentsMade = knownAgents ?? []
        for file in files {
            let text = file.text.withoutByteOrderMark
            switch nodes(of: text, path: file.path) {
            case .failure(let diagnostic): diagnostics.append(diagnostic)
            case .success(let nodes):
                let parts = DocumentParts(text)
                for node in nodes {
                    var decoder = DocumentDecoder(file: file.path, server: server)
                    if let document = decoder.document(node, text: parts.text(at: node.line)) {
                        loaded.append(document)
                    }
                    diagnostics += decoder.diagnostics
                    agentsUsed += decoder.agentsUsed
                    agentsMade.formUnion(decoder.agentsMade)
                }
            }
        }
        diagnostics += duplicates(in: loaded)
        if knownAgents != nil { diagnostics += unknownAgents(agentsUsed, known: agentsMade) }
        diagnostics += resolveAlerts(in: &loaded, known: knownSources, isPart: knownAgents == nil)
        guard diagnostics.isEmpty else {
            // Files in the order they were given, lines ascending.
            let order = Dictionary(files.enumerated().map { ($1.path, $0) }, uniquingKeysWith: min)
            throw DocumentErrors(
                diagnostics.sorted { (order[$0.file] ?? 0, $0.line) < (order[$1.file] ?? 0, $1.line) })
        }
        return loaded.map(\.document)
    }

    /// Reads a document back from the store, by the own JSON parser: at a start thousands are read.
    /// - Parameters:
    ///   - canonical: what ``Document/canonical`` was.
    ///   - text: what ``Document/text`` was; it is passed on, not read.
    public static func load(
        stored canonical: RawJSON, kind: DocumentKind, text: String
    ) throws(DocumentErrors) -> Document {
        let file = "stored \(kind.rawValue)"
        var decoder = DocumentDecoder(file: file)
        do throws(JSONError) {
            let node = DocumentNode(try JSONValue(parsing: canonical.bytes))
            if let loaded = decoder.document(node, text: text, stored: canonical) {
                if loaded.document.kind == kind { return loaded.document }
                decoder.note("is a \(loaded.document.kind.rawValue), not a \(kind.rawValue)", at: 0, "")
            }
        } catch {
            decoder.note("\(error)", at: 0, "")
        }
        throw DocumentErrors(decoder.diagnostics)
    }

    /// YAML reads nearly all JSON, and gives lines; what only JSON means (a surrogate pair in escapes) is read again.
    private static func nodes(of text: String, path: String) -> Result<[DocumentNode], Diagnostic> {
        let result = YAMLReader.documents(in: text, file: path)
        guard case .failure = result, text.utf8.count <= Limits.documentBytesMax,
            text.utf8.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
            let node = DocumentNode(json: text, depthMax: Limits.documentDepthMax)
        else { return result }
        return .success([node])
    }

    private static func duplicates(in loaded: [LoadedDocument]) -> [Diagnostic] {
        var first: [String: LoadedDocument] = [:]
        return loaded.compactMap { document in
            let kind = document.document.kind.rawValue
            let key = "\(kind)/\(document.document.name)"
            guard let other = first[key] else {
                first[key] = document
                return nil
            }
            return Diagnostic(
                file: document.file, line: document.line, path: kind,
                message: "the \(kind) '\(document.document.name)' is already at \(other.file):\(other.line)")
        }
    }

    /// Gives rules about alerts what resolves them, and refuses an `on_resolved` that nothing can bring about.
    private static func resolveAlerts(
        in loaded: inout [LoadedDocument], known: [String: Preset], isPart: Bool
    ) -> [Diagnostic] {
        var presets = known
        for case .source(let source) in loaded.map(\.document.content) { presets[source.name] = source.preset }
        var diagnostics: [Diagnostic] = []
        for index in loaded.indices {
            guard case .rule(let written) = loaded[index].document.content else { continue }
            let rule = written.resolvingAlerts(of: presets)
            loaded[index].document.content = .rule(rule)
            let mayBeElsewhere = isPart && rule.alertSources.contains { presets[$0] == nil }
            guard rule.onResolvedIsGiven, rule.resolve == nil, !mayBeElsewhere else { continue }
            diagnostics.append(
                Diagnostic(
                    file: loaded[index].file, line: loaded[index].onResolvedLine, path: "on_resolved",
                    message: rule.whyNothingResolves(presets)))
        }
        return diagnostics
    }

    private static func unknownAgents(
        _ references: [DocumentDecoder.AgentReference], known: Set<String>
    ) -> [Diagnostic] {
        references.filter { !known.contains($0.agent) }.map { reference in
            let hint = NearestName.of(reference.agent, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
            return Diagnostic(
                file: reference.file, line: reference.line, path: reference.path,
                message: "there is no agent '\(reference.agent)'\(hint)")
        }
    }
}

extension String {
    /// Editors of Windows begin a file with U+FEFF. The YAML parser counts it as a column, so that the first key seems indented.
    var withoutByteOrderMark: String {
        unicodeScalars.first == "\u{FEFF}" ? String(unicodeScalars.dropFirst()) : self
    }
}

/// A document with what is needed to check the set.
struct LoadedDocument {
    var document: Document
    var file: String
    var line: Int
    /// Of the key that may need other documents.
    var onResolvedLine = 0
}

extension DocumentDecoder {
    /// A document of any kind: its kind is the key that names it.
    mutating func document(_ node: DocumentNode, text: String, stored: RawJSON? = nil) -> LoadedDocument? {
        guard case .object(let members) = node.content else {
            expected("a mapping with source:, agent: or rule:", found: node, "", line: node.line)
            return nil
        }
        // A rule's step has `agent` too, but not at the top; a rule document may be told by `rule` alone.
        let kinds = DocumentKind.allCases.filter { kind in members.contains { $0.key == kind.rawValue } }
        guard kinds.count == 1, let kind = kinds.first else {
            note("a document has exactly one of source: NAME, agent: NAME and rule: NAME", at: node.line, "")
            return nil
        }
        let content: (name: String, Document.Content)? =
            switch kind {
            case .source: source(node).map { ($0.name, .source($0)) }
            case .agent: agent(node).map { ($0.name, .agent($0)) }
            case .rule: rule(node).map { ($0.name, .rule($0)) }
            }
        guard let (name, content) = content else { return nil }
        let line = members.first { $0.key == kind.rawValue }?.line ?? node.line
        let canonical = stored ?? RawJSON(trusted: node.json.canonicalEncoded())
        let document = Document(kind: kind, name: name, text: text, canonical: canonical, content: content)
        return LoadedDocument(
            document: document, file: file, line: line,
            onResolvedLine: members.first { $0.key == "on_resolved" }?.line ?? line)
    }
}
