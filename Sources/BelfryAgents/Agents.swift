public import BelfryCore
public import BelfryHTTP

/// Makes agents from their definitions.
public enum Agents {
    /// - Parameters:
    ///   - secrets: what stands behind ``AgentDefinition/secretReferences``; it goes into the request's headers and nowhere
    ///     else. Those that may be absent and are, are not in it.
    ///   - clock: paces `echo` and the pauses between retries.
    public static func make(
        _ definition: AgentDefinition,
        secrets: [SecretReference: Secret],
        http: HTTPClient,
        commands: CommandRunner,
        clock: any Clock<Duration> = ContinuousClock()
    ) -> any Agent {
        func ask(_ provider: any Provider) -> any Agent {
            ProviderAgent(
                provider: provider, definition: definition, secrets: Array(secrets.values), http: http, clock: clock)
        }
        return switch definition.kind {
        case .echo(let settings):
            EchoAgent(wordsPerSecond: settings.wordsPerSecond, outputBytesMax: definition.outputBytesMax, clock: clock)
        case .openai(let settings):
            ask(OpenAIProvider(settings: settings, key: settings.key.flatMap { secrets[$0] }))
        case .anthropic(let settings):
            ask(AnthropicProvider(settings: settings, key: settings.key.flatMap { secrets[$0] }))
        case .dify(let settings): ask(DifyProvider(settings: settings, key: secrets[settings.key]))
        case .http(let settings): ask(HTTPProvider(settings: settings, secrets: secrets))
        case .command(let settings):
            CommandAgent(timeout: settings.timeout, outputBytesMax: definition.outputBytesMax, commands: commands)
        }
    }
}
