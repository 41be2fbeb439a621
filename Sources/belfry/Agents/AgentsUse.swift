import ArgumentParser
import BelfryCore

struct AgentsUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Let agents speak to a model: every agent of kind echo, or those named with --agent.",
        discussion: """
            Works with whatever speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp, LiteLLM, OpenRouter. \
            The key is copied to DIR/secrets of a hub on this machine (0600); the agent's document only names that file.

            EXAMPLE
              belfry agents use openai --key-file ./openai.key --model gpt-4o-mini
              belfry agents use openai --base-url http://127.0.0.1:11434/v1 --model llama3.2 --agent oncall
            """
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable { case openai }

    @OptionGroup var client: ClientOptions
    @Argument(help: "The kind: openai.") var kind: Kind
    @Option(help: ArgumentHelp("File that holds the API key.", valueName: "file")) var keyFile: String?
    @Option(help: "The model's name.") var model = "gpt-4o-mini"
    @Option(help: ArgumentHelp("Address of the API, without /chat/completions.", valueName: "url"))
    var baseURL = "https://api.openai.com/v1"
    @Option(help: ArgumentHelp("Only this agent (may be repeated).", valueName: "name")) var agent: [String] = []

    func run() async throws {
        let client = try self.client.client()
        let chosen = try choose(from: try await client.get("/v1/agents").items)
        let key = try keyFile.map { try KeyFile(path: $0, options: self.client).place() }
        for agent in chosen {
            let name = agent.cell("name")
            var document: JSONObject = [
                "agent": .string(name), "kind": .string(kind.rawValue), "base_url": .string(baseURL),
                "model": .string(model),
            ]
            if let about = agent["about"], about.string != nil { document["about"] = about }
            if let key { document["key"] = .string("file:\(key)") }
            let path = "/v1/agents/\(PercentEncoding.component(name))"
            let answer = try await client.call("PUT", path, body: .object(document)).body
            self.client.output.show(answer) { _ in "\(name) now asks \(model) at \(baseURL)\n" }
        }
    }

    private func choose(from agents: [JSONValue]) throws -> [JSONValue] {
        guard !agent.isEmpty else {
            let echoes = agents.filter { $0.cell("kind") == "echo" }
            guard !echoes.isEmpty else {
                throw Failure(.negative, "the hub has no agent of kind echo; name the agents to change with --agent")
            }
            return echoes
        }
        return try agent.map { name in
            guard let found = agents.first(where: { $0.cell("name") == name }) else {
                throw Failure(
                    .negative, "no agent \(name); there are \(agents.map { $0.cell("name") }.joined(separator: ", "))")
            }
            return found
        }
    }
}
