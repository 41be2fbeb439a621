import ArgumentParser
import BelfryCore

/// `belfry doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what is missing or broken, each with how to mend it. Ends with 1 if anything fails.",
        discussion: """
            EXAMPLE
              belfry doctor --data ./data
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        var findings = Machine.findings(folder: client.dataFolder)
        findings += await HubCheck(options: client).findings()
        let isWell = findings.allSatisfy { $0.grade != .fail }
        client.output.show(["ok": .bool(isWell), "items": .array(findings.map(\.json))]) { _ in
            findings.map(\.line).joined()
        }
        if !isWell { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}

/// One thing that was looked at.
struct Finding: Sendable {
    enum Grade: String, Sendable { case ok, warn, fail }

    var grade: Grade
    var name: String
    var detail: String
    /// What to do about it; nil when nothing is to be done.
    var mend: String?

    init(_ grade: Grade, _ name: String, _ detail: String, mend: String? = nil) {
        self.grade = grade
        self.name = name
        self.detail = detail
        self.mend = mend
    }

    var line: String {
        let mark = grade.rawValue.padded(to: 4)
        let colored =
            switch grade {
            case .ok: Terminal.green(mark)
            case .warn: Terminal.yellow(mark)
            case .fail: Terminal.red(mark)
            }
        return "\(colored)  \(name.padded(to: 13))  \(Terminal.harmless(detail))\(mend.map { "; \($0)" } ?? "")\n"
    }

    var json: JSONValue {
        ["grade": .string(grade.rawValue), "name": .string(name), "detail": .string(detail), "mend": .optional(mend)]
    }
}
