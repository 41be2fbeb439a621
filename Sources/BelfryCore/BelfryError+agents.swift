extension BelfryError.Code {
    /// Whoever asked for the work took it back, and what it held (socket, process group) is gone.
    public static let cancelled = BelfryError.Code(rawValue: "cancelled")
}
