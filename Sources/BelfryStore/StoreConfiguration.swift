public import BelfryCore

/// How a store is opened. What is not said here is in ``Limits``.
public struct StoreConfiguration: Sendable {
    /// The data folder: `belfry.db`, `belfry.lock`, `secret.key`. Made if it is not there.
    public var folder: String
    public var clock: WallClock
    /// Connections that read beside the writer.
    public var readersMax = 4
    /// The write-ahead log is checkpointed between two commits when it passes this, while tokens come a quarter of it.
    public var walBytesMax = Limits.walBytesMax

    /// Room on the disk that a folder is on.
    public var diskSpace: @Sendable (_ folder: String) -> DiskSpace? = DiskSpace.of

    public init(folder: String, clock: WallClock = .system) {
        self.folder = folder
        self.clock = clock
    }
}
