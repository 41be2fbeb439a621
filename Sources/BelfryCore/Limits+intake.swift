extension Limits {
    // MARK: Bodies and answers of sources

    /// Gzip members of one body: a megabyte of empty ones is 50,000 of them, and no sender makes more than a few.
    public static let gzipMembersMax = 1000
    /// The body of a `respond`: it is sent with every answer.
    public static let answerBodyBytesMax = 4 * 1024
    /// Explanations in the answer to a dry run, over all its events: a thousand lines times ten thousand rules.
    public static let dryRunExplanationsMax = 10_000
}
