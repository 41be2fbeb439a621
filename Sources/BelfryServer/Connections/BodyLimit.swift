import BelfryCore

/// How large the body of one request may be, and what is said to a larger one.
struct BodyLimit: Sendable {
    var bytes: Int
    /// Nil: that it is too large. Something else where the body would not be taken at any size.
    var refusal: BelfryError?
}
