/// Why a command ends without success: one line that says what, where and how to mend it, and the exit code.
struct Failure: Error, CustomStringConvertible {
    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message alone: it stands in logs and notices too.
    var description: String { message }

    /// The documented exit codes (`belfry --help`).
    enum Code: Int32, Sendable {
        /// An answer that is "no": no match, not found, a conflict, an invalid document, a failed run.
        case negative = 1
        case usage = 2
        case unreachable = 3
        case refused = 4
        case serverError = 5
    }
}
