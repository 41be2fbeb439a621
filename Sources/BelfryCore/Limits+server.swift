extension Limits {
    // MARK: Streams

    /// A frame published from outside: a page of them (``replayFramesMax``) is held in memory for each who catches up.
    public static let customFrameBytesMax = 64 * 1024
    /// The snapshots of one stream together, but for its first one: each who comes to `run/*` without a position, or to many
    /// runs, has them in memory until they are sent. Runs that do not fit are listed without their text.
    public static let snapshotBytesMax = 1024 * 1024
    /// Calls of tools that the snapshot of a run shows of one step: its last ones. A step may call thousands.
    public static let snapshotCallsMax = 32
    /// Of a call's arguments, and of its answer, this much stands in the snapshot: the frames have all of it.
    public static let snapshotCallBytesMax = 2 * 1024
    /// Text and calls of one run in a snapshot of `run/*`: a talkative one must not take the room of all others.
    public static let snapshotRunTextBytesMax = 256 * 1024
    /// Runs that a snapshot of `run/*` reads: as many as can be at work; of those that wait there is nothing to read.
    public static let snapshotRunsMax = Limits.runsRunningMax
    /// Recent frames kept in memory for those who reconnect: a tab that comes back within seconds reads no disk.
    public static let ringFramesMax = 16_384
    /// What they may weigh.
    public static let ringBytesMax = 16 * 1024 * 1024
    /// Subscribers written to in one turn of a loop: it reads in between, so that whoever publishes is not held up.
    public static let subscribersPerTurnMax = 64
    /// The same while they all wait for one commit alone: nothing that is read in between goes out in the same write.
    public static let subscribersPerLoneTurnMax = 128
    /// Frames that one write takes from a loop's window: what a connection does not take of them is copied.
    public static let framesPerWriteMax = 256
    /// Subscribers that catch up from the ring in one turn of a loop.
    public static let catchUpReadersPerTurnMax = 16
    /// Frames looked at, of the ring, in one turn for one subscriber: a loop serves the others in between.
    public static let catchUpFramesPerTurnMax = 4096
    /// Bytes written in one turn to one subscriber that catches up.
    public static let catchUpBytesPerTurnMax = 64 * 1024
    /// Subscribers of one shard whose pages are read from the log at the same time.
    public static let logReadersPerShard = 2
    /// A quiet stream's cursor is refreshed this often, so that a reconnect after hours of quiet starts near the head.
    public static let cursorRefreshInterval = Duration.seconds(60)
    /// Named streams of one token, and of all: each holds its topics, also some time after its disconnect.
    public static let namedStreamsPerTokenMax = 1000
    public static let namedStreamsMax = 10_000
    /// A named stream, and one that a ticket opened, is forgotten so long after its last disconnect: a laptop that was
    /// closed for a moment goes on, an address that was left somewhere opens nothing.
    public static let streamSessionRetention = Duration.seconds(600)
    /// A stream that was taken over by another connection waits this long before it reconnects: two tabs with one name
    /// would take it from each other for ever.
    public static let replacedReconnectDelay = Duration.seconds(60)
    /// What a browser waits before it reconnects.
    public static let reconnectDelay = Duration.seconds(2)
    /// Clients of a hub that stops come back so many a second: each costs a handshake and a look at the log.
    public static let reconnectsPerSecond = 1000
    /// None of them comes sooner: the hub is just starting.
    public static let reconnectSpreadStart = Duration.seconds(1)
    /// The least and the most that their delays lie apart.
    public static let reconnectSpreadMin = Duration.seconds(1)
    public static let reconnectSpreadMax = Duration.seconds(29)
    /// What an event stream still has to say at its end leaves within this, or is lost: the drain must end.
    public static let streamCloseTimeout = Duration.seconds(5)

    // MARK: Requests

    /// A request with a larger body is not worked at on its event loop, where it would hold up the streams.
    public static let briefBodyBytesMax = 64 * 1024

    // MARK: Browsers

    /// A ticket stands in an address, which others may see: it is used at once or never.
    public static let ticketLifetime = Duration.seconds(60)
    /// Tickets of one token that wait or have a stream, and of all: one backend may hand them to every browser it knows.
    public static let ticketsPerTokenMax = connectionsMax / 2
    public static let ticketsMax = connectionsMax
    /// A browser asks again after this time whether a page of another origin may.
    public static let preflightLifetime = Duration.seconds(600)
    /// Who finds a link in an old terminal or mail must not get in by it.
    public static let signInCodeLifetime = Duration.seconds(15 * 60)
    /// Links that wait to be used: they are in memory.
    public static let signInCodesMax = 1000
    /// A browser that was left somewhere is signed out after this.
    public static let sessionLifetime = Duration.seconds(30 * 86400)
    /// Live sessions: each is a row and a place in memory.
    public static let sessionsMax = 1000
    /// An ended session is listed so long; that there was one, the audit knows for ever.
    public static let sessionRecordRetention = Duration.seconds(7 * 86400)
    /// Ended sessions that are listed: a script that signs in for each request makes many in a week.
    public static let endedSessionsMax = 1000
    /// Failed sign-ins of one address in one window; who fails further is told to wait.
    public static let signInFailuresMax = 10
    public static let signInFailureWindow = Duration.seconds(60)
    /// Addresses whose failures are counted apart.
    public static let signInAddressesMax = 1000

    // MARK: TLS

    /// A certificate file or a key file: a chain of a handful is a few kilobytes.
    public static let pemBytesMax = 1024 * 1024
    /// An end of the certificate this near is told of: whatever renews it has had its time.
    public static let certificateWarning = Duration.seconds(14 * 86400)
    /// How often its end is looked at.
    public static let certificateCheckInterval = Duration.seconds(86400)

    // MARK: Requests

    /// One header line, and all of them: more is an attack or a mistake.
    public static let requestHeaderBytesMax = 32 * 1024
    public static let requestHeadersMax = 128
    /// After an early refusal the rest of the body is read and dropped this long, so that the answer is not lost to a
    /// reset of the connection.
    public static let lingerTimeout = Duration.seconds(2)
    /// What is dropped at most in that time.
    public static let lingerBytesMax = 64 * 1024 * 1024
    /// A body of somebody who shows no valid token, or for a source that does not exist: it is read for the refusal
    /// alone.
    public static let anonymousBodyBytesMax = 64 * 1024
    /// Bodies of all requests that are being received or answered: what a crowd of large ones can take of the memory.
    public static let requestBodiesBytesMax = 256 * 1024 * 1024
    /// A set of documents sent at once: ten thousand rules of one kilobyte, with room.
    public static let documentSetBytesMax = 16 * 1024 * 1024
    /// Connections the kernel holds for us before they are accepted.
    public static let listenBacklog = 1024
}
