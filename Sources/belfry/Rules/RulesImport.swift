import ArgumentParser
import BelfryCore
import BelfryRules
import Foundation

/// `belfry rules import`
struct RulesImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make documents of other programs' files.",
        discussion: """
            EXAMPLE
              belfry rules import adnanh hooks.json --out ./imported
            """,
        subcommands: [RulesImportAdnanh.self]
    )
}

/// `belfry rules import adnanh`: no hub is needed.
struct RulesImportAdnanh: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adnanh",
        abstract: "Make documents of the hook files of adnanh/webhook, and say what does not come along.",
        discussion: """
            Each hook becomes a source and a rule. A rule that would do more than its hook is written with \
            enabled: false. Secrets become env: references. Without --out the documents go to standard output and the \
            report to standard error.

            Ends with 0 if all came along, 1 if something was left out, 2 if a file cannot be read (nothing is written).

            EXAMPLE
              belfry rules import adnanh hooks.json --out ./imported --secrets-to ./secrets.env
              belfry rules apply ./imported --dry-run
            """
    )

    @Argument(help: "Hook files, JSON or YAML; no Go templates.") var files: [String]
    @Option(help: "A folder for a file per hook; scripts go into its folder commands. No file is overwritten.")
    var out: String?
    @Option(help: ArgumentHelp("A name for a hook's documents; can be repeated.", valueName: "hook=name"))
    var name: [String] = []
    @Option(help: "A new file for the secrets, readable by you alone: NAME='value' a line.") var secretsTo: String?
    @Option(name: [.short, .long], help: "How the result is shown: table or json.") var output: OutputFormat = .table

    func run() throws {
        let texts = try files.map { ($0, try LocalFile.text(at: $0, bytesMax: Limits.documentBytesMax)) }
        let imported: HookImport
        do {
            imported = try HookImport(texts, names: try names())
        } catch let errors as DocumentErrors {
            throw Failure(.usage, "nothing is imported:\n" + Terminal.harmless("\(errors)"))
        }
        let report = ImportReport(imported, folder: out.map(LocalFile.absolute), secretsFile: secretsTo)
        try write(imported)
        if output == .json {
            Terminal.write(report.json.text + "\n")
        } else if out != nil {
            Terminal.write(Terminal.harmless(report.text))
        } else {
            Terminal.write(imported.hooks.map(\.text).joined(separator: "---\n"))
            Terminal.writeError(Terminal.harmless(report.text))
        }
        if !imported.isComplete { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    private func names() throws -> [String: String] {
        var names: [String: String] = [:]
        for text in name {
            // An id may hold `=`, a name cannot.
            guard let equals = text.lastIndex(of: "="), case let name = String(text[text.index(after: equals)...]),
                Name.isValid(name)
            else { throw Failure(.usage, "--name \(text): write HOOK=NAME; a name is \(Name.form)") }
            names[String(text[..<equals])] = name
        }
        return names
    }

    /// All files or, where one is there already, none.
    private func write(_ imported: HookImport) throws {
        var files: [(path: String, text: String, mode: mode_t)] = []
        if let out {
            files = imported.hooks.map { ("\(out)/\($0.name).yaml", $0.text, 0o644) }
            files += imported.hooks.compactMap { hook in
                hook.script.map { ("\(out)/\(ImportReport.scriptFolder)/\(hook.name).sh", $0, 0o755) }
            }
        }
        if let secretsTo, !imported.secrets.isEmpty {
            files.append((secretsTo, ImportReport.environmentFile(imported.secrets), 0o600))
        }
        if let there = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) {
            throw Failure(.usage, "\(there.path) is already there, and nothing is overwritten: name another place")
        }
        for file in files {
            if file.path != secretsTo {
                let folder = URL(fileURLWithPath: file.path).deletingLastPathComponent().path
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            try LocalFile.writeNew(Array(file.text.utf8), to: file.path, mode: file.mode)
        }
    }
}
