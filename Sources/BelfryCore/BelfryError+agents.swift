extension BelfryError.Code {
    /// Whoever asked for the work took it back, and what it held (socket, process group) is gone.
    public static let cancelled = BelfryError.Code(rawValue: "cancelled")
    /// An agent with tools has used up its turns or tokens.
    public static let agentLimit = BelfryError.Code(rawValue: "agent_limit")
    /// A rule has used up what it may of the day; as a run's reason (``EndReason/budget``).
    public static let budget = BelfryError.Code(rawValue: "budget")
    /// A command's processes are still there after everything was done to end them.
    public static let processesLeft = BelfryError.Code(rawValue: "processes_left")
    /// A provider did not confirm that it stopped its work; its socket is closed.
    public static let stopUnconfirmed = BelfryError.Code(rawValue: "stop_unconfirmed")
}

extension BelfryError {
    /// Whether the work it ended may go on outside, where the hub can't see to its end.
    public var leavesWork: Bool { code == .processesLeft || code == .stopUnconfirmed }
}
