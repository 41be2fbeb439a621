import ArgumentParser
import BelfryCore
import Glibc

/// The `belfry` program: `serve` is the hub, every other command is a client of its API.
@main
struct Belfry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belfry",
        abstract: "A self-hosted event-triggered agent hub.",
        discussion: """
            Webhooks and sensor alerts come in, stored rules decide, agent runs start, and their tokens stream to \
            every viewer.

            Client commands talk to http://127.0.0.1:8420 with the token of ./data/admin.token; --url and --token \
            (BELFRY_URL, BELFRY_TOKEN) choose another hub. --url and --token stand after the subcommand: \
            belfry runs list --url http://hub:8420. belfry --version shows the version.

            EXIT CODES
              0  done
              1  a negative answer: no match, a broken chain, a failed run, not found, a conflict, an invalid document
              2  wrong usage or configuration
              3  the hub cannot be reached
              4  the token is missing, unknown or may not do this
              5  the hub failed or is overloaded

            EXAMPLE
              belfry serve --rules ./Rules
              belfry send github-issues --watch
            """,
        groupedSubcommands: [
            CommandGroup(name: "The hub", subcommands: [ServeCommand.self, DoctorCommand.self, BenchCommand.self]),
            CommandGroup(
                name: "What happens",
                subcommands: [
                    SendCommand.self, EventsCommand.self, RunsCommand.self, ApprovalsCommand.self, ListenCommand.self,
                    AuditCommand.self,
                ]
            ),
            CommandGroup(
                name: "What is set up",
                subcommands: [
                    SourcesCommand.self, AgentsCommand.self, RulesCommand.self, PauseCommand.self, ResumeCommand.self,
                    TokensCommand.self, TargetsCommand.self,
                ]
            ),
        ]
    )

    static func main() async {
        // A reader that went away (`belfry events list | head`) is no error.
        signal(SIGPIPE, SIG_IGN)
        // Not the parser's: that one would be an option of every command, beside the `--version` that some have.
        if CommandLine.arguments.dropFirst() == ["--version"] { return Terminal.write("belfry \(Version.text)\n") }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Terminal.complain(failure.message)
            Glibc.exit(failure.code.rawValue)
        } catch let error as BelfryError {
            let failure = Failure(ofHub: error)
            Terminal.complain(failure.message)
            Glibc.exit(failure.code.rawValue)
        } catch {
            end(with: error)
        }
    }

    /// Help and version end with 0 on stdout, usage errors with 2 on stderr (the parser's own code is 64).
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        if code.isSuccess {
            Terminal.write(text.isEmpty ? "" : text + "\n")
        } else if code == .failure, !(error is ExitCode) {
            // Nothing of the parser's: what went wrong inside, said as everything else is.
            Terminal.complain("\(error)")
            Glibc.exit(Failure.Code.serverError.rawValue)
        } else if !text.isEmpty {
            Terminal.writeError(text + "\n")
        }
        Glibc.exit(code == .validationFailure ? Failure.Code.usage.rawValue : code.rawValue)
    }
}
