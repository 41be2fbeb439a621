public import BelfryCore
public import BelfryHTTP

/// Makes agents from their definitions.
public enum Agents {
    /// - Parameters:
    ///   - key: the secret behind the definition's reference; it goes into the request's header and nowhere else.
    ///   - clock: paces `echo` and the pauses between retries.
    public static func make(
        _ definition: AgentDefinition,
        key: Secret?,
        http: HTTPClient,
        commands: CommandRunner,
        clock: any Clock<Duration> = ContinuousClock()
    ) -> any Agent {
        switch definition.kind {
        case .echo(let settings):
            EchoAgent(wordsPerSecond: settings.wordsPerSecond, outputBytesMax: definition.outputBytesMax, clock: clock)
        case .openai(let settings):
            OpenAIAgent(definition: definition, settings: settings, key: key, http: http, clock: clock)
        case .command(let settings):
            CommandAgent(timeout: settings.timeout, outputBytesMax: definition.outputBytesMax, commands: commands)
        }
    }
}
