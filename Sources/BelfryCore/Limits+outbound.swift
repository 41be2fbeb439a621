extension Limits {
    // MARK: Outbound HTTP

    /// Received bytes of one response that wait for their reader; past it the transfer is paused, so that a slow
    /// reader holds the provider back and not memory.
    public static let responseBufferBytesMax = 256 * 1024
    /// Header bytes of one response: a server that never ends its head must not fill the memory.
    public static let responseHeaderBytesMax = 64 * 1024
    /// Header fields of one response, for the same reason.
    public static let responseHeadersMax = 256
    /// Sockets of one client, idle ones included; more requests wait for a place.
    public static let outboundConnectionsMax = 1024
    /// Idle connections that one client keeps for the next request.
    public static let outboundIdleConnectionsMax = 64
    /// Between two looks at all sockets, for each: a hundred streams are looked at two thousand times a second at most.
    public static let transferRestMicroseconds = 5
    /// However many there are, so that no token waits for others to come.
    public static let transferRestMicrosecondsMax = 1000
    /// A line of an event stream. Providers send whole documents in one (tool arguments), none sends megabytes.
    public static let streamLineBytesMax = 1024 * 1024
    /// The data of one event of an event stream, over all its lines.
    public static let streamEventBytesMax = 4 * 1024 * 1024
    /// An error answer is read this far for the provider's own message.
    public static let errorBodyBytesMax = 64 * 1024
    /// Of the provider's own message, this much is shown.
    public static let errorTextBytesMax = 300
    /// Bytes of one answer, whatever they are: a provider that sends events without text for ever (thoughts, pings,
    /// comments) is cut. It is far more than the text it may bring, because a token of three bytes comes in an event
    /// of three hundred.
    public static let answerBytesMax = 256 * 1024 * 1024
    /// Tools that one answer may call: a model in a loop must not fill the memory with names.
    public static let toolCallsPerAnswerMax = 128
    /// Name and id of a tool call, as a provider gives them; they go into frames and back into the next request.
    public static let toolCallNameBytesMax = 256
    /// How long a provider may take to confirm that it stopped its work; it is less than a stop waits for
    /// (``stopConfirmTimeout``).
    public static let remoteStopTimeout = Duration.seconds(5)
    /// A provider's `Retry-After` is honoured up to here; a longer one fails the step and says so.
    public static let retryAfterMax = Duration.seconds(60)
    /// The first pause before a request is tried again; it doubles, and half of it is random.
    public static let retryPauseFirst = Duration.milliseconds(500)
    /// No pause that Belfry chooses itself is longer.
    public static let retryPauseMax = Duration.seconds(20)

    // MARK: Trials of agents

    /// Agents that are being tested at the same time: each may hold a socket or a process.
    public static let agentTrialsMax = 4
    /// A trial is cut then: who asked waits for it, and its client gives up after 60 s.
    public static let agentTrialTimeout = Duration.seconds(45)
    /// Of what the agent says, so much is shown; the rest is timed all the same.
    public static let agentTrialTextBytesMax = 2048
    /// What it may be asked.
    public static let agentTrialPromptBytesMax = 16 * 1024

    // MARK: Sends

    /// One attempt at a send, from the name to the last byte of the answer (Standard Webhooks: 15 to 30 s).
    public static let sendTimeout = Duration.seconds(15)
    /// Of an answer, this much is read and becomes the step's output.
    public static let sendAnswerBytesMax = 4 * 1024
    /// A message's type, which may come from an event.
    public static let sendTypeBytesMax = 256
    /// Attempts at one send; ``SendSchedule`` says when.
    public static let sendAttemptsMax = 8
    /// A target's `Retry-After` is honoured up to here.
    public static let sendRetryAfterMax = Duration.seconds(86400)
    /// Targets of one server, and headers of one target.
    public static let targetsMax = 1000
    public static let targetHeadersMax = 32

    // MARK: Slack

    /// Telling Slack what became of a button. Its address takes answers for half an hour, and nobody waits for this one.
    public static let slackAnswerTimeout = Duration.seconds(5)
    public static let slackAnswersAtOnceMax = 8
    /// Beyond it a message keeps its buttons.
    public static let slackAnswersWaitingMax = 256
    /// Blocks of a message, as Slack takes them.
    public static let slackBlocksMax = 50

    // MARK: Tools of agents

    /// Tools of one step; each is described to the model with every request.
    public static let toolsPerStepMax = 32
    /// What one call's answer may bring into the conversation; the rest is cut, and the model is told.
    public static let toolAnswerBytesMax = 16 * 1024
    /// Of a call's arguments, this much stands in the audit.
    public static let auditTextBytesMax = 4 * 1024
    /// Arguments of one call, as a model writes them.
    public static let toolArgumentsBytesMax = 64 * 1024
    /// What agent and tools may say in one attempt: it is sent to the model again with every turn, and kept with the step.
    public static let conversationBytesMax = 4 * 1024 * 1024
    /// How often a model is asked in one attempt of a step with tools, where the rule says nothing.
    public static let agentTurnsDefault = 10
    /// What a rule may say.
    public static let agentTurnsMax = 100

    // MARK: Commands

    /// A line that a command writes to its standard error; the rest of it is cut.
    public static let logLineBytesMax = 4 * 1024
    /// Lines of one command's standard error that are passed on; the rest is read and dropped, so that the command
    /// does not block on a full pipe.
    public static let logLinesMax = 500
    /// Between SIGTERM and SIGKILL.
    public static let terminationGrace = Duration.seconds(2)
    /// How long the end of killed processes is waited for before they are reported as survivors.
    public static let killConfirmTimeout = Duration.seconds(5)
}
