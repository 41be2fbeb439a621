import ArgumentParser
import BelfryCore

struct AgentsUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Let agents speak to a model, or echo: every agent of kind echo, or those named with --agent.",
        discussion: """
            openai works with whatever speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp, LiteLLM, \
            OpenRouter. anthropic is Anthropic's own API, dify an app of Dify. The key is copied to DIR/secrets of a hub on this machine (0600); the agent's document only names that file.

            An agent that is of this kind already keeps what no flag changes. Its key is dropped when the base URL \
            changes: a key is for the one it was given for.

            EXAMPLE
              belfry agents use openai --key-file ./openai.key --model gpt-4o-mini
              belfry agents use openai --base-url http://127.0.0.1:11434/v1 --model llama3.2 --agent oncall
              belfry agents use anthropic --key-file ./anthropic.key --model claude-sonnet-4-5 --agent oncall
              belfry agents use dify --key-file ./app.key --app workflow --agent oncall
              belfry agents use echo --agent oncall
            """
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case openai, anthropic, dify, echo

        /// Nil for echo, which asks nobody.
        var provider: AgentDraft.Provider? { AgentDraft.Provider(rawValue: rawValue) }
    }

    @OptionGroup var client: ClientOptions
    @Argument(help: "The kind: openai, anthropic, dify or echo.") var kind: Kind
    @Option(help: ArgumentHelp("File that holds the API key.", valueName: "file")) var keyFile: String?
    @Option(help: "The model's name (default for a new one of kind openai: gpt-4o-mini).") var model: String?
    @Option(
        help: ArgumentHelp(
            "Address of the API as the provider gives it, e.g. https://api.openai.com/v1 (default: the provider's own).",
            valueName: "url"))
    var baseURL: String?
    @Option(help: "What an app of Dify is: chat (the default), agent or workflow.") var app: String?
    @Option(help: ArgumentHelp("Only this agent (may be repeated).", valueName: "name")) var agent: [String] = []

    func validate() throws {
        guard let provider = kind.provider else {
            guard keyFile == nil, model == nil, baseURL == nil, app == nil else {
                throw ValidationError("--key-file, --model, --base-url and --app are for who asks a provider")
            }
            guard !agent.isEmpty else { throw ValidationError("name the agents that shall echo with --agent") }
            return
        }
        if model != nil, !provider.hasModel { throw ValidationError("--model: an app of Dify has a model of its own") }
        if app != nil, provider != .dify { throw ValidationError("--app is for dify") }
        if let app, AgentDefinition.DifySettings.App(rawValue: app) == nil {
            throw ValidationError("--app \(app) is none of chat, agent and workflow")
        }
        if let baseURL, !baseURL.hasPrefix("http://"), !baseURL.hasPrefix("https://") {
            throw ValidationError("--base-url \(baseURL) is no address; it begins with http:// or https://")
        }
        if baseURL?.contains(provider.path) == true {
            throw ValidationError("--base-url ends before \(provider.path), as in \(provider.baseURL)")
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
        let key = try keyFile.map { try KeyFile(path: $0, kind: kind.rawValue, options: self.client).place() }
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
        guard let provider = kind.provider else { return .echo(name: name, stored: stored) }
        return try .asking(provider, name: name, stored: stored, model: model, baseURL: baseURL, app: app, key: key)
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
        guard let base = draft.document["base_url"]?.string else { return "\(draft.name) now echoes its prompts\n" }
        let whom = draft.document["model"]?.string ?? draft.document["app"]?.string.map { "a \($0) of Dify" } ?? "it"
        return "\(draft.name) now asks \(whom) at \(base)\n"
    }
}
