import BelfryCore

/// What a hook runs: an entry of the server's commands, its arguments, and a script where the program needs more.
extension HookConversion {
    /// The arguments behind the command's name, as templates: the environment's first, which the script takes.
    mutating func command() -> [String] {
        for (index, parameter) in hook.files.enumerated() {
            disable(
                "pass-file-to-command[\(index)]",
                "'\(parameter.name.prefix(80))' is not written to a file",
                mend:
                    "the event is on the command's standard input as JSON: let a script write the file, enable the rule"
            )
        }
        checkProgram()
        var command: [String] = []
        for (index, parameter) in hook.environment.enumerated() {
            command.append(variable(parameter, "pass-environment-to-command[\(index)]"))
        }
        for (index, parameter) in hook.arguments.enumerated() {
            command.append(argument(parameter, "pass-arguments-to-command[\(index)]"))
        }
        if command.contains(where: { $0.hasPrefix("{{") }) {
            differ(
                "pass-arguments-to-command",
                "an argument that begins with '-' because the request does is refused, and the run fails")
        }
        if !hook.environment.isEmpty {
            differ(
                "pass-environment-to-command", "a variable whose value is missing is empty; webhook does not set it")
        }
        return command
    }

    private mutating func checkProgram() {
        let program = hook.executeCommand
        if script() != nil, program.contains("=") {
            disable("execute-command", "env(1) takes a program with '=' in its name for a variable", mend: "rename it")
        } else if program.hasPrefix("/") {
            if program.contains(" ") {
                leaveOut(
                    "execute-command", "the program is '\(program.prefix(200))' with its spaces, for webhook too",
                    mend: "arguments stand in pass-arguments-to-command")
            }
        } else if hook.workingDirectory.isEmpty || script() == nil {
            leaveOut(
                "execute-command",
                "commands are absolute paths, and webhook looks for '\(program.prefix(200))' in its PATH",
                mend: "put what `command -v` says into the configuration's `commands:`")
        } else {
            differ(
                "execute-command",
                "'\(program.prefix(200))' is looked for in the hub's PATH, then in the working directory")
        }
    }

    // MARK: Values

    private mutating func argument(_ parameter: HookParameter, _ key: String) -> String {
        do throws(NotExpressible) {
            return try template(parameter, key)
        } catch {
            disable(key, error.reason, mend: error.mend)
            return ""
        }
    }

    /// `NAME=value`. The script takes the value alone: the rule does not choose the name.
    private mutating func variable(_ parameter: HookParameter, _ key: String) -> String {
        let name = Self.variableName(parameter)
        guard !name.isEmpty, !name.contains("="), !name.contains("{{"), !name.utf8.contains(0) else {
            disable(key, "'\(name.prefix(80))' is no name of a variable", mend: "set `envname`")
            return "="
        }
        if parameter.source == "string", Confidential.isSuspect(name) {
            drop(secret: parameter.name)
            disable(
                key, "the value of \(name) may be a secret, and secrets never stand in documents",
                mend: "let the script read it from a file that only the hub's user can read, then enable the rule")
            return "\(name)="
        }
        return "\(name)=\(argument(parameter, key))"
    }

    private static func variableName(_ parameter: HookParameter) -> String {
        parameter.variable.isEmpty ? "HOOK_\(parameter.name)" : parameter.variable
    }

    private mutating func template(_ parameter: HookParameter, _ key: String) throws(NotExpressible) -> String {
        switch parameter.source {
        case "string":
            guard !parameter.name.contains("{{"), !parameter.name.utf8.contains(0) else {
                throw NotExpressible(reason: "a text with '{{' would be a template", mend: "put it into a script")
            }
            written(parameter.name)
            return parameter.name
        case "payload": return "{{data\(try Self.path(parameter.name))}}"
        case "entire-payload": return "{{data}}"
        case "raw-request-body":
            differ(key, "of a form it is the fields as JSON, and not the body as it was sent")
            return "{{data}}"
        case "header":
            let name = parameter.name.lowercased()
            try Self.checkHeader(name)
            guard !Confidential.isSuspect(name) else {
                throw NotExpressible(
                    reason: "the header \(name) carries a secret, and is never kept with an event",
                    mend: "the sender is verified before the command runs; leave it out")
            }
            keep(header: name)
            return "{{event.headers\(try Self.key(name[...]))}}"
        case "request" where parameter.name.lowercased() == "method": return "POST"
        case "request" where parameter.name.lowercased() == "remote-addr":
            differ(key, "it is the address without the port")
            return "{{event.remote}}"
        default: throw Self.unavailable(parameter)
        }
    }

    /// `commits.0.id` → `.commits[0].id`
    private static func path(_ name: String) throws(NotExpressible) -> String {
        var path = ""
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            let isIndex = (1...9).contains(part.utf8.count) && part.utf8.allSatisfy { $0 &- 0x30 < 10 }
            path += isIndex ? "[\(part)]" : try key(part)
        }
        return path
    }

    private static func key(_ part: Substring) throws(NotExpressible) -> String {
        guard !part.isEmpty, !part.contains("{{"), !part.contains("}}"), !part.utf8.contains(0) else {
            throw NotExpressible(
                reason: "'\(part.prefix(80))' is no key that a template can name", mend: "name a value")
        }
        let isPlain = part.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x5F || $0 == 0x2D }
        if isPlain { return ".\(part)" }
        return "[\"" + part.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"]"
    }

    // MARK: Script

    /// The script that stands between the hub and the program; nil where arguments are all the program gets.
    func script() -> String? {
        guard !hook.environment.isEmpty || !hook.workingDirectory.isEmpty else { return nil }
        var lines = [
            "#!/bin/sh",
            "# From the webhook hook '\(DocumentText.commentText(hook.id))': its environment and working directory.",
            "# It decides what the command \(name) runs: only who may change the configuration should.",
            "set -eu",
        ]
        for index in hook.environment.indices { lines.append("v\(index + 1)=${\(index + 1)#*=}") }
        if !hook.environment.isEmpty { lines.append("shift \(hook.environment.count)") }
        let program = hook.executeCommand
        var path = DocumentText.shellQuoted(program)
        if !hook.workingDirectory.isEmpty { lines.append("cd -- \(DocumentText.shellQuoted(hook.workingDirectory))") }
        if !program.hasPrefix("/") {
            lines.append("program=\(path)")
            let local = "[ -x \"./$program\" ] && program=./$program"
            lines.append(program.contains("/") ? local : "command -v -- \"$program\" >/dev/null || { \(local); }")
            path = "\"$program\""
        }
        let variables = hook.environment.enumerated().map { index, parameter in
            "\(DocumentText.shellQuoted("\(Self.variableName(parameter))="))\"$v\(index + 1)\""
        }
        lines.append((["exec env"] + variables + [path, "\"$@\" </dev/null"]).joined(separator: " "))
        return lines.joined(separator: "\n") + "\n"
    }
}
