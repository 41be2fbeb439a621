extension Limits {
    // MARK: WebSocket

    /// One message of a client: its largest, a batch of calls, is a few kilobytes.
    public static let webSocketMessageBytesMax = 1024 * 1024
    /// One message of the endpoint that tests of the protocol use. The largest of Autobahn's.
    public static let echoMessageBytesMax = 16 * 1024 * 1024
    /// Fragments of such a message. Autobahn sends 4 MiB in pieces of 64 bytes, and an empty one.
    public static let echoFragmentsMax = 131_072
    /// Fragments of one message: empty ones would go on for ever without reaching the bound on bytes.
    public static let webSocketFragmentsMax = 16_384
    // Presence

    /// Changes of who looks at what are told together, once in this time: pointers move faster than anybody reads.
    public static let presenceInterval = Duration.seconds(1)
    /// Runs that one connection may look at.
    public static let presenceRunsPerConnectionMax = 16
    /// Runs of one notification; the others are told with the next.
    public static let presenceRunsMax = 100
    /// Operators of one run that are named.
    public static let presenceNamesMax = 20

    /// Calls of one connection under way; with more, nothing further is read from it. A stop takes up to
    /// ``stopConfirmTimeout``.
    public static let webSocketCallsMax = 8
    /// Calls of one connection: so many at once, then so many a second. Each reads the store, and a page makes a few when
    /// it opens.
    public static let webSocketCallBurst: Int64 = 128
    public static let webSocketCallsPerSecond: Int64 = 32
    /// Calls beyond the rate, which are answered with how long to wait, before the connection is closed: who sends so
    /// many does not read the answers.
    public static let webSocketCallDebtMax: Int64 = 512
    /// Calls of one batch.
    public static let callsPerBatchMax = 32
    /// The id of a call: it is sent back, and kept as long as the call is under way.
    public static let callIDBytesMax = 256
    /// A connection that nothing came from for this long, no answer to a ping either, is dead.
    public static let webSocketSilenceMax = Duration.seconds(30)
    /// After our close frame the client has this long to send its own.
    public static let webSocketCloseTimeout = Duration.seconds(5)
    /// Topics whose state one connection remembers, also of those that came and went while it was catching up.
    public static let topicChangesMax = 4 * topicsPerSubscriptionMax
}
