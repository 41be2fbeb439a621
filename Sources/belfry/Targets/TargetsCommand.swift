import ArgumentParser
import BelfryCore

/// `belfry targets`
struct TargetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets",
        abstract: "Where send steps may post to.",
        discussion: """
            Targets stand in the server's configuration file, under `targets:`. One that answers 410 (gone) is disabled until \
            somebody enables it again.

            EXAMPLE
              belfry targets list
              belfry targets enable ops-slack
            """,
        subcommands: [TargetsList.self, TargetsEnable.self],
        defaultSubcommand: TargetsList.self
    )
}

struct TargetsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show all targets, never their URLs.",
        discussion: """
            EXAMPLE
              belfry targets list
            """
    )

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let answer = try await client.client().get("/v1/targets")
        client.output.show(answer) { answer in
            Table(["name", "state", "signed", "plain", "private", "disabled", "reason"], answer.items) { target in
                let state =
                    target["enabled"]?.bool == false
                    ? "disabled" : target["problem"]?.string.map { "unusable: \($0)" } ?? "ready"
                return [target.cell("name"), state, target.cell("signed"), target.cell("plain")]
                    + [target.cell("allow_private"), target.timeCell("disabled_since"), target.cell("reason")]
            }.text
        }
    }
}
