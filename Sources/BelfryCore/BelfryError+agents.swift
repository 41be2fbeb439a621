extension BelfryError.Code {
    /// Whoever asked for the work took it back, and what it held (socket, process group) is gone.
    public static let cancelled = BelfryError.Code(rawValue: "cancelled")
    /// A command's processes are still there after everything was done to end them.
    public static let processesLeft = BelfryError.Code(rawValue: "processes_left")
}
