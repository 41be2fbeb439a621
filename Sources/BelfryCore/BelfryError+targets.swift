extension BelfryError.Code {
    /// The server's configuration has no such target.
    public static let unknownTarget = BelfryError.Code(rawValue: "unknown_target")
    /// The target said that it is gone, and nobody has enabled it since.
    public static let targetDisabled = BelfryError.Code(rawValue: "target_disabled")
    /// A target did not take a message.
    public static let sendFailed = BelfryError.Code(rawValue: "send_failed")
}
