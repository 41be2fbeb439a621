import ArgumentParser
import BelfryCore

struct RulesMute: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mute",
        abstract: "Let a rule start nothing and tell nobody for a while.",
        discussion: """
            Events go on being stored; their matches are recorded as paused, and belfry events replay starts them later.
            Runs at work go on. A mute ends by itself, or with --for 0s.

            EXAMPLE
              belfry rules mute plant-overheating --for 2h
              belfry rules mute plant-overheating --for 0s
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The rule.") var name: String
    @Option(name: .customLong("for"), help: "How long: 30m, 2h, at most 30d; 0s ends a mute.") var duration: String

    func validate() throws {
        guard Duration(shorthand: duration) != nil else {
            throw ValidationError("--for must be a duration with its unit, such as 30m, 2h or 1d; 0s ends a mute")
        }
    }

    func run() async throws {
        let path = "/v1/rules/\(PercentEncoding.component(name))/mute"
        let answer = try await client.client().post(path, ["for": .string(duration)])
        client.output.show(answer) { answer in
            answer["muted_until"] == nil
                ? "\(name) is not muted; it \(RuleStateText.of(answer))\n" : "\(name) is \(RuleStateText.of(answer))\n"
        }
    }
}
