public import BelfryCore

/// Hook files of adnanh/webhook, converted into documents.
///
/// Nothing is made weaker silently: a rule that would fire where its hook does not, or whose source would verify less,
/// comes with `enabled: false` and a finding that says why. Secrets become `env:` references.
///
/// **Architecture Invariant**: the conversion reads texts and makes texts; it knows neither disk nor network.
public struct HookImport: Sendable {
    /// In the order of the files.
    public internal(set) var hooks: [ConvertedHook] = []
    /// All that was left out or behaves in another way, in the order of the hooks.
    public internal(set) var findings: [ImportFinding] = []
    /// The variables that the documents refer to, with what the hooks had there.
    public internal(set) var secrets: [(variable: String, value: Secret)] = []

    /// Whether nothing was left out.
    public var isComplete: Bool { !findings.contains(where: \.isLeftOut) }

    /// Converts hook files.
    /// - Parameters:
    ///   - files: `path` is only used to say where something is wrong.
    ///   - names: names of documents by the hook's id, where the id itself is no good one.
    /// - Throws: why a file cannot be read as hooks; then nothing was converted.
    public init(_ files: [(path: String, text: String)], names: [String: String] = [:]) throws(DocumentErrors) {
        var diagnostics: [Diagnostic] = []
        var read: [(hook: Hook, path: String)] = []
        for file in files {
            do throws(DocumentErrors) {
                let found = try HookFile.hooks(in: file.text, file: file.path)
                read += found.map { ($0, file.path) }
            } catch {
                diagnostics += error.diagnostics
            }
        }
        guard diagnostics.isEmpty else { throw DocumentErrors(diagnostics) }
        var ids: Set<String> = []
        var used: Set<String> = []
        var conversions: [(conversion: HookConversion, converted: ConvertedHook?)] = []
        for (hook, path) in read {
            guard ids.insert(hook.id).inserted else {
                findings.append(
                    ImportFinding(
                        hook: hook.id, key: "id", kind: .leftOut,
                        reason: "the id stands twice; webhook refuses the file",
                        mend: "give one of the hooks another id"))
                continue
            }
            var conversion = HookConversion(hook, file: path, name: names[hook.id])
            // Two names can have one variable: `a-b`, `a_b`.
            guard used.insert(conversion.variable).inserted else {
                findings.append(
                    ImportFinding(
                        hook: hook.id, key: "id", kind: .leftOut,
                        reason:
                            "another hook has the name '\(conversion.name)' or its variable, \(conversion.variable)",
                        mend: "name it: --name \(hook.id)=NAME"))
                continue
            }
            let converted = conversion.convert()
            conversions.append((conversion, converted))
        }
        let values = conversions.flatMap { $0.conversion.secrets.map(\.value.text) + $0.conversion.droppedSecrets }
        for (conversion, converted) in conversions {
            findings += conversion.findings
            guard let converted else { continue }
            if conversion.reveals(values) {
                findings.append(
                    ImportFinding(
                        hook: converted.id, key: "id", kind: .leftOut,
                        reason:
                            "a secret of the file stands in the hook in another place too, and would be written into "
                            + "a document",
                        mend: "set a new secret in the hooks file and at the sender, then import again"))
                continue
            }
            hooks.append(converted)
            secrets += conversion.secrets
        }
    }

    /// What must be added to the server's configuration, as YAML; nil if nothing.
    ///
    /// Only the configuration can widen what rules may run and which variables sources may read.
    /// - Parameter wrapperFolder: where the scripts of ``ConvertedHook/script`` will stand.
    public func configuration(scriptFolder: String) -> String? {
        var lines: [String] = []
        if !hooks.isEmpty {
            lines.append("commands:")
            for hook in hooks {
                if hook.script != nil {
                    lines.append("  \(hook.name): \(DocumentText.scalar("\(scriptFolder)/\(hook.name).sh"))")
                } else if hook.program.hasPrefix("/") {
                    lines.append("  \(hook.name): \(DocumentText.scalar(hook.program))")
                } else {
                    lines.append("  # \(hook.name): /absolute/path/of/\(DocumentText.commentText(hook.program))")
                }
            }
        }
        if !secrets.isEmpty {
            lines.append("secrets:")
            lines.append("  env:          # beside the names that stand there already")
            lines += secrets.map { "    - \($0.variable)" }
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }
}

/// The documents of one hook.
public struct ConvertedHook: Sendable {
    /// As the hooks file says it.
    public var id: String
    /// Of the source, the rule and the command.
    public var name: String
    /// A source and a rule, as commented YAML.
    public var text: String
    /// Whether the rule starts anything; if not, findings say why.
    public var isEnabled: Bool
    /// The program of the hook.
    public var program: String
    /// A shell script that gives the program its environment and working directory, where the hook does; the command of
    /// the server's configuration is then the script.
    public var script: String?
}

/// Something that did not come along, or behaves in another way than in webhook.
public struct ImportFinding: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        /// It is not in the documents.
        case leftOut = "left out"
        /// It is not in them, the rule would do more without it, and so the rule is disabled.
        case disables = "left out, so the rule is disabled"
        /// It is in them, and something is different that a person should know.
        case differs
    }

    /// Whether something did not come along.
    public var isLeftOut: Bool { kind != .differs }

    /// The hook's id.
    public var hook: String
    /// The keys that lead there: `trigger-rule.and[1].match`.
    public var key: String
    public var kind: Kind
    public var reason: String
    /// What to do about it; empty where nothing need be done.
    public var mend: String

    public init(hook: String, key: String, kind: Kind, reason: String, mend: String = "") {
        self.hook = hook
        self.key = key
        self.kind = kind
        self.reason = reason
        self.mend = mend
    }
}
