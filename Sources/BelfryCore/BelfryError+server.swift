extension BelfryError.Code {
    /// More or longer headers than ``Limits/requestHeadersMax`` and ``Limits/requestHeaderBytesMax`` allow.
    public static let headersTooLarge = BelfryError.Code(rawValue: "headers_too_large")
    /// An `Expect` header that is not `100-continue`.
    public static let expectationFailed = BelfryError.Code(rawValue: "expectation_failed")
    /// A plain request to a path that speaks WebSocket, or one for another version of it.
    public static let upgradeRequired = BelfryError.Code(rawValue: "upgrade_required")
}
