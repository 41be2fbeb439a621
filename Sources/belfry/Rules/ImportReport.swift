import BelfryCore
import BelfryRules

/// What became of hook files, for a person or as JSON. It names secrets and never holds one.
struct ImportReport {
    /// Below the folder of the documents.
    static let scriptFolder = "commands"

    private let imported: HookImport
    private let folder: String?
    private let secretsFile: String?

    init(_ imported: HookImport, folder: String?, secretsFile: String?) {
        self.imported = imported
        self.folder = folder
        self.secretsFile = secretsFile
    }

    private var scriptFolder: String { folder.map { "\($0)/\(Self.scriptFolder)" } ?? "/etc/belfry/commands" }

    private var configuration: String? { imported.configuration(scriptFolder: scriptFolder) }

    var text: String {
        let disabled = imported.hooks.count { !$0.isEnabled }
        var parts = ["hooks converted: \(imported.hooks.count), of them disabled: \(disabled)\n"]
        for (title, kind) in [
            ("left out, so the rule is disabled", ImportFinding.Kind.disables), ("left out", .leftOut),
            ("different", .differs),
        ] {
            parts.append(section(title, of: kind))
        }
        if let configuration {
            parts.append("for the server's configuration (belfry serve --config):\n" + indented(configuration))
        }
        if folder == nil {
            for hook in imported.hooks {
                guard let script = hook.script else { continue }
                parts.append("\(scriptFolder)/\(hook.name).sh:\n" + indented(script))
            }
        }
        if !imported.secrets.isEmpty {
            let names = imported.secrets.map { "  \($0.variable)\n" }.joined()
            let place = secretsFile.map { "values in \($0)" } ?? "values: in the hooks file, or --secrets-to FILE"
            parts.append("to set before belfry serve starts (\(place)):\n" + names)
        }
        return parts.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func section(_ title: String, of kind: ImportFinding.Kind) -> String {
        let lines = imported.findings.filter { $0.kind == kind }.map { finding in
            let mend = finding.mend.isEmpty ? "" : "\n      \(finding.mend)"
            return "  \(finding.hook): \(finding.key): \(finding.reason)\(mend)\n"
        }
        return lines.isEmpty ? "" : "\(title):\n" + lines.joined()
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  \($0)" }
            .joined(separator: "\n")
    }

    var json: JSONValue {
        [
            "hooks": .array(imported.hooks.map(json)),
            "left_out": .array(imported.findings.filter(\.isLeftOut).map(json)),
            "differs": .array(imported.findings.filter { $0.kind == .differs }.map(json)),
            "configuration": .optional(configuration),
            "variables": .array(imported.secrets.map { .string($0.variable) }),
        ]
    }

    private func json(_ hook: ConvertedHook) -> JSONValue {
        [
            "hook": .string(hook.id), "name": .string(hook.name), "enabled": .bool(hook.isEnabled),
            "text": .string(hook.text), "script": .optional(hook.script),
        ]
    }

    private func json(_ finding: ImportFinding) -> JSONValue {
        [
            "hook": .string(finding.hook), "key": .string(finding.key), "reason": .string(finding.reason),
            "mend": .string(finding.mend), "disables": .bool(finding.kind == .disables),
        ]
    }

    /// Lines that a POSIX shell and systemd's `EnvironmentFile` read alike.
    static func environmentFile(_ secrets: [(variable: String, value: Secret)]) -> String {
        secrets.map { variable, value in
            let text = value.text
            guard text.contains("'") else { return "\(variable)='\(text)'\n" }
            let escaped = text.map { "\"\\$`".contains($0) ? "\\\($0)" : "\($0)" }.joined()
            return "\(variable)=\"\(escaped)\"\n"
        }.joined()
    }
}
