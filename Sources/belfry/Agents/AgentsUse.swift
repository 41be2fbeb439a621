import ArgumentParser
import BelfryCore

struct AgentsUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Let agents speak to a model, or echo: every agent of kind echo, or those named with --agent.",
        discussion: """
            Works with whatever speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp, LiteLLM, OpenRouter. \
            The key is copied to DIR/secrets of a hub on this machine (0600); the agent's document only names that file.

            An agent that is of kind openai already keeps what no flag changes. Its key is dropped when the base URL \
            changes: a key is for the one it was given for.

            EXAMPLE
              belfry agents use openai --key-file ./openai.key --model gpt-4o-mini
              belfry agents use openai --base-url http://127.0.0.1:11434/v1 --model llama3.2 --agent oncall
              belfry agents use echo --agent oncall
            """
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable { case openai, echo }

    @OptionGroup var client: ClientOptions
    @Argument(help: "The kind: openai or echo.") var kind: Kind
    @Option(help: ArgumentHelp("File that holds the API key.", valueName: "file")) var keyFile: String?
    @Option(help: "The model's name (default for a new one: \(AgentDraft.defaultModel)).") var model: String?
    @Option(
        help: ArgumentHelp(
            "Address of the API, without /chat/completions (default for a new one: \(AgentDraft.defaultBaseURL)).",
            valueName: "url"))
    var baseURL: String?
    @Option(help: ArgumentHelp("Only this agent (may be repeated).", valueName: "name")) var agent: [String] = []

    func validate() throws {
        if kind == .echo {
            guard keyFile == nil, model == nil, baseURL == nil else {
                throw ValidationError("--key-file, --model and --base-url are for openai")
            }
            guard !agent.isEmpty else { throw ValidationError("name the agents that shall echo with --agent") }
        }
        if let baseURL, !baseURL.hasPrefix("http://"), !baseURL.hasPrefix("https://") {
            throw ValidationError("--base-url \(baseURL) is no address; it begins with http:// or https://")
        }
        if baseURL?.contains("/chat/completions") == true {
            throw ValidationError("--base-url ends before /chat/completions, as in \(AgentDraft.defaultBaseURL)")
        }
        if let model, model.allSatisfy(\.isWhitespace) { throw ValidationError("--model must not be empty") }
    }

    func run() async throws {
        let client = try self.client.client()
        let names = try choose(from: try await client.get("/v1/agents").items)
        var stored: [(name: String, document: JSONObject)] = []
        for name in names {
            let answer = try await client.get(Self.path(name))
            stored.append((name, answer["document"]?.object ?? JSONObject()))
        }
        let key = try keyFile.map { try KeyFile(path: $0, options: self.client).place() }
        // All are drawn up before the first is sent: what is refused here changes nothing.
        let drafts = try stored.map { try draft($0.name, $0.document, key: key) }
        for draft in drafts {
            let answer = try await put(draft, client)
            self.client.output.show(answer) { _ in Self.sentence(draft) }
            if let remark = draft.remark { Terminal.complain(remark) }
        }
    }

    /// What the hub refuses is said of the flags that the person gave, not of the document's keys.
    private func put(_ draft: AgentDraft, _ client: APIClient) async throws -> JSONValue {
        do {
            return try await client.call("PUT", Self.path(draft.name), body: .object(draft.document)).body
        } catch let failure as Failure {
            let flags = [
                (": base_url: ", ": --base-url: "), (": model: ", ": --model: "), (": key: ", ": --key-file: "),
            ]
            let said = flags.reduce(failure.message) { $0.replacing($1.0, with: $1.1) }
            throw Failure(failure.code, "\(draft.name): \(said)")
        }
    }

    private func draft(_ name: String, _ stored: JSONObject, key: String?) throws -> AgentDraft {
        switch kind {
        case .echo: .echo(name: name, stored: stored)
        case .openai: try .openai(name: name, stored: stored, model: model, baseURL: baseURL, key: key)
        }
    }

    private func choose(from agents: [JSONValue]) throws -> [String] {
        let names = agents.map { $0.cell("name") }
        guard !agent.isEmpty else {
            let echoes = agents.filter { $0.cell("kind") == "echo" }
            guard !echoes.isEmpty else {
                let others = names.isEmpty ? "" : "; there are \(names.joined(separator: ", "))"
                throw Failure(.negative, "the hub has no agent of kind echo; name the agents with --agent\(others)")
            }
            return echoes.map { $0.cell("name") }
        }
        if let unknown = agent.first(where: { !names.contains($0) }) {
            throw Failure(.negative, "--agent: no agent \(unknown); there are \(names.joined(separator: ", "))")
        }
        return agent
    }

    private static func path(_ name: String) -> String { "/v1/agents/\(PercentEncoding.component(name))" }

    private static func sentence(_ draft: AgentDraft) -> String {
        guard let model = draft.document["model"]?.string, let base = draft.document["base_url"]?.string else {
            return "\(draft.name) now echoes its prompts\n"
        }
        return "\(draft.name) now asks \(model) at \(base)\n"
    }
}
