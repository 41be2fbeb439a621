extension Limits {
    // MARK: Listening clients

    /// One message of the hub: a snapshot of a run holds the text of all its steps.
    public static let clientMessageBytesMax = 64 * 1024 * 1024
    /// Fragments of one message: the hub sends whole ones, a proxy may cut them.
    public static let clientFragmentsMax = 16_384
    /// Messages that wait while a frame is handled. Then no more is read, and the rest waits in the hub's log.
    public static let clientMessagesWaitingMax = 64
    /// To connect, and again to be upgraded: a hub that is stopped (SIGSTOP) takes connections and says nothing.
    public static let clientConnectTimeout = Duration.seconds(10)
    /// After so much quiet the client asks whether the hub is there.
    public static let clientPingInterval = Duration.seconds(15)
    /// After so much quiet the connection is dead. The hub itself pings every 15 s (``keepAliveInterval``).
    public static let clientSilenceMax = Duration.seconds(45)
    /// The first pause before a reconnect; it doubles, and half of it is random.
    public static let clientPauseFirst = Duration.milliseconds(250)
    /// A hub that restarts is back within seconds: no alert should wait much longer than that.
    public static let clientPauseMax = Duration.seconds(10)
    /// The longest pause that a hub which stops may ask for.
    public static let clientPauseAskedMax = Duration.seconds(60)
    /// A connection that lived this long was a good one: the next pause is a first one again.
    public static let clientGoodConnection = Duration.seconds(5)
    /// How long a program that is started for a frame may work.
    public static let listenProgramTimeout = Duration.seconds(30)
    /// A value of its environment; the whole frame is on its standard input. The kernel refuses more than 128 KiB.
    public static let listenVariableBytesMax = 4096
    /// Characters of a frame's data in one line of text.
    public static let listenLineCharactersMax = 300
    /// Text of a run without a line end that `runs watch --all` keeps back, so that lines of several runs do not mix.
    public static let watchLineBytesMax = 4096
}
