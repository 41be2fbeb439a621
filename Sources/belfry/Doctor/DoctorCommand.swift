import ArgumentParser
import BelfryCore

/// `belfry doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what is missing or broken, each with how to mend it. Ends with 1 if anything fails.",
        discussion: """
            With --url it also looks at the way there, which may lead through a proxy: it watches an event stream and a \
            WebSocket on which nothing is said, publishes one frame to custom/belfry-doctor to see it come, if the token \
            may, and asks the hub what arrived of its headers.

            EXAMPLE
              belfry doctor --data ./data
              belfry doctor --url https://hub.example.com --token TOKEN
            """
    )

    @OptionGroup var client: ClientOptions

    @Option(help: "With --url: for how many seconds the quiet stream and WebSocket are watched.") var idle = 20

    func validate() throws {
        guard (0...86400).contains(idle) else { throw ValidationError("--idle is 0 to 86400 seconds") }
    }

    func run() async throws {
        var findings = Machine.findings(folder: client.dataFolder)
        findings += await HubCheck(options: client).findings()
        // Only a way that was named is worth watching for so long.
        if client.hub.url != nil, findings.allSatisfy({ $0.name != "hub" || $0.grade == .ok }) {
            if Terminal.isInteractive { Terminal.writeError("watching quiet streams for \(idle) s\n") }
            findings += try await WayCheck(client.hub, idle: .seconds(idle)).findings()
        }
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
