import ArgumentParser
import BelfryCore

struct AgentsTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Ask an agent one thing, as a step would, and time its answer.",
        discussion: """
            The hub asks, with the agent's own key and settings, so that what works here works in a run; no run is made. \
            It costs what the provider takes for a short answer. Ends with 1 if the agent fails, and says why; it is cut \
            after 45 s.

            EXAMPLE
              belfry agents test oncall
              belfry agents test oncall --prompt "What is the capital of France?"
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The agent.") var name: String
    @Option(help: "What to ask (default: for one word).") var prompt: String?

    func run() async throws {
        let body: JSONValue = .object(prompt.map { ["prompt": .string($0)] } ?? [:])
        let answer = try await client.client().post("/v1/agents/\(PercentEncoding.component(name))/test", body)
        client.output.show(answer, Self.text)
        if answer["ok"]?.bool != true { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    /// What it said, and a line of how long that took: `oncall (openai, gpt-4o-mini) answers: first token after 320 ms,
    /// all after 410 ms; 12 tokens in, 2 out`.
    static func text(_ answer: JSONValue) -> String {
        let kind = [answer["kind"]?.string, answer["model"]?.string].compactMap(\.self).joined(separator: ", ")
        let name = "\(answer.cell("agent")) (\(kind))"
        var lines: [String] = []
        if let text = answer["text"]?.string, !text.isEmpty { lines.append(Terminal.faint(Terminal.harmless(text))) }
        guard answer["ok"]?.bool == true else {
            let error = answer["error"]
            let reason = "\(error?["message"]?.string ?? "it failed") (\(error?["code"]?.string ?? "-"))"
            lines.append(
                "\(Terminal.red("\(name) fails")) after \(answer.cell("total_ms")) ms: \(Terminal.harmless(reason))")
            return lines.joined(separator: "\n") + "\n"
        }
        let first = answer["first_token_ms"]?.number.map { "first token after \($0.text) ms" } ?? "it said nothing"
        let usage = answer["usage"].map { "; \($0.cell("input_tokens")) tokens in, \($0.cell("output_tokens")) out" }
        lines.append(
            "\(Terminal.green("\(name) answers")): \(first), all after \(answer.cell("total_ms")) ms\(usage ?? "")")
        return lines.joined(separator: "\n") + "\n"
    }
}
