import BelfryCore

/// Turns one hook into a source and a rule, and notes what does not come along.
struct HookConversion {
    let hook: Hook
    let file: String
    /// Of the source, the rule and the command.
    let name: String
    private(set) var findings: [ImportFinding] = []
    private(set) var secrets: [(variable: String, value: Secret)] = []
    /// Secrets that are not needed any more; they must not be written either.
    private(set) var droppedSecrets: [String] = []
    /// Texts of the hook that the documents hold.
    private(set) var writtenTexts: [String] = []
    private var isEnabled = true
    private var keptHeaders: [String] = []

    init(_ hook: Hook, file: String, name: String?) {
        self.hook = hook
        self.file = file
        self.name = name ?? Self.name(for: hook.id)
    }

    /// The id as a name: in lower case, and `-` for what a name cannot hold.
    private static func name(for id: String) -> String {
        let characters = id.lowercased().utf8.map { byte -> UInt8 in
            (byte &- 0x61 < 26 || byte &- 0x30 < 10 || "-_.".utf8.contains(byte)) ? byte : UInt8(ascii: "-")
        }
        let name = String(
            decoding: characters.drop { "-_.".utf8.contains($0) }.prefix(Limits.nameBytesMax), as: UTF8.self)
        return name.isEmpty ? "hook" : name
    }

    /// The variable of the hook's secret; further ones are numbered.
    var variable: String {
        "WEBHOOK_" + String(name.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }) + "_SECRET"
    }

    // MARK: Findings

    /// Notes what is not converted and takes nothing away from what the rule asks for.
    mutating func leaveOut(_ key: String, _ reason: String, mend: String) {
        findings.append(ImportFinding(hook: hook.id, key: key, kind: .leftOut, reason: reason, mend: mend))
    }

    /// Notes what is not converted, and without which the rule would do more than the hook: it starts nothing.
    mutating func disable(_ key: String, _ reason: String, mend: String) {
        findings.append(ImportFinding(hook: hook.id, key: key, kind: .disables, reason: reason, mend: mend))
        isEnabled = false
    }

    mutating func differ(_ key: String, _ reason: String, mend: String = "") {
        let finding = ImportFinding(hook: hook.id, key: key, kind: .differs, reason: reason, mend: mend)
        if !findings.contains(finding) { findings.append(finding) }
    }

    mutating func keep(header: String) {
        // These two are always kept.
        guard !["content-type", "user-agent"].contains(header), !keptHeaders.contains(header) else { return }
        keptHeaders.append(header)
    }

    mutating func drop(secret: String) { if !secret.isEmpty { droppedSecrets.append(secret) } }

    /// Whether the documents would hold one of these secrets. A short one counts where it is the whole of a text.
    func reveals(_ secrets: [String]) -> Bool {
        let texts = writtenTexts + [hook.id, name, hook.executeCommand, hook.workingDirectory]
        return secrets.contains { secret in
            texts.contains { text in
                secret.utf8.count < 6 ? text.hasSameBytes(as: secret) : text.utf8.contains(secret.utf8)
            }
        }
    }

    mutating func written(_ texts: String...) { writtenTexts += texts }

    /// A reference to a secret, which stands nowhere but in the environment.
    mutating func reference(to secret: String) -> String {
        let name = secrets.isEmpty ? variable : "\(variable)_\(secrets.count + 1)"
        secrets.append((name, Secret(secret)))
        return "env:\(name)"
    }

    // MARK: Documents

    /// The documents; nil if there are none that the loader takes.
    mutating func convert() -> ConvertedHook? {
        if !hook.id.hasSameBytes(as: name) {
            differ("id", "deliveries are sent to /hooks/\(name)", mend: "give the sender the new URL")
        }
        let conjuncts = conjuncts()
        let check = verification(conjuncts)
        let pattern = pattern(conjuncts, check)
        let answer = answer()
        intake()
        let command = command()
        var converted = ConvertedHook(
            id: hook.id, name: name, text: "", isEnabled: isEnabled, program: hook.executeCommand, script: script())
        converted.text = text(check: check, answer: answer, pattern: pattern, command: command)
        do throws(DocumentErrors) {
            _ = try DocumentLoader.load([("\(name).yaml", converted.text)])
            return converted
        } catch {
            let reasons = error.diagnostics.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
            leaveOut("id", "no document can say it: \(reasons.joined(separator: "; "))", mend: "write it by hand")
            return nil
        }
    }

    private mutating func text(
        check: SenderCheck?, answer: JSONValue?, pattern: JSONObject, command: [String]
    ) -> String {
        let id = DocumentText.commentText(hook.id)
        var lines = [
            "# From the hook '\(id)' of adnanh/webhook, \(DocumentText.commentText(file)).", "source: \(name)",
        ]
        if let check { lines += sourceLines(check) } else { lines.append("preset: none") }
        if !keptHeaders.isEmpty { lines.append("keep_headers: \(list(keptHeaders))") }
        // Not ndjson: a delivery is one event, as it is one call of the hook.
        lines.append("accepts: [json, form, text]")
        if let answer { lines.append("respond: \(DocumentText.inline(answer))") }
        lines += ["---"]
        for finding in findings {
            let mend = finding.mend.isEmpty ? "" : "; \(finding.mend)"
            lines.append(
                "# " + DocumentText.commentText("\(finding.kind.rawValue): \(finding.key): \(finding.reason)\(mend)"))
        }
        lines += ["rule: \(name)", "about: \(DocumentText.scalar("The command of the webhook hook \(hook.id)."))"]
        if !isEnabled { lines.append("enabled: false") }
        lines += ["when:", "  source: [\(name)]"]
        for member in pattern.members {
            guard member.key == "$or", let alternatives = member.value.array else {
                lines.append("  \(DocumentText.scalar(member.key)): \(DocumentText.inline(member.value))")
                continue
            }
            lines.append("  $or:")
            lines += alternatives.map { "    - \(DocumentText.inline($0))" }
        }
        lines += ["run:", "  steps:", "    - step: command", "      command: \(list([name] + command))"]
        return lines.joined(separator: "\n") + "\n"
    }

    private func list(_ texts: [String]) -> String { DocumentText.inline(.array(texts.map(JSONValue.string))) }

    private mutating func sourceLines(_ check: SenderCheck) -> [String] {
        var references: [String] = []
        for secret in check.secrets { references.append(reference(to: secret)) }
        var lines = ["preset: \(check.algorithm == nil ? "token" : "hmac")"]
        lines.append(
            references.count == 1 ? "secret: \(references[0])" : "secrets: [\(references.joined(separator: ", "))]")
        if let algorithm = check.algorithm {
            var signature: JSONObject = ["header": .string(check.header)]
            if check.hasPrefix { signature["prefix"] = .string("\(algorithm.rawValue)=") }
            signature["algorithm"] = .string(algorithm.rawValue)
            lines.append("signature: \(DocumentText.inline(.object(signature)))")
        } else if !check.isBearer {
            lines.append("token_header: \(DocumentText.scalar(check.header))")
        }
        return lines
    }
}
