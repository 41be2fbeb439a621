/// What a source answers instead of the hub's own JSON (`respond`).
public struct FixedAnswer: Sendable, Hashable {
    /// 200 to 299.
    public var status = 200
    public var contentType = "text/plain; charset=utf-8"
    public var body = ""

    public init() {}
}

/// A question by GET that a sender asks before it delivers anything (`challenge`): it wants a parameter's value back.
public struct ChallengeSettings: Sendable, Hashable {
    /// The parameter of the query whose value is the answer, such as `hub.challenge`.
    public var parameter: String
    /// The parameter that must equal one of the source's secrets, such as `hub.verify_token`; nil: none.
    public var tokenParameter: String?

    public init(parameter: String, tokenParameter: String? = nil) {
        self.parameter = parameter
        self.tokenParameter = tokenParameter
    }
}
