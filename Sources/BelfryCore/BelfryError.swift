/// An error that a caller or a person should read: a stable code, and a message that says what, where and how to mend
/// it. It never holds a secret, a digest or a payload.
public struct BelfryError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    public var message: String
    /// More facts for a program: the index of a bad item, the allowed values.
    public var details: JSONObject
    /// What a sender should wait before it tries again.
    public var retryAfter: Duration?

    public init(_ code: Code, _ message: String, details: JSONObject = JSONObject(), retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.details = details
        self.retryAfter = retryAfter
    }

    public var description: String { "\(code.rawValue): \(message)" }

    /// The stable codes, one table. Codes are API: they are added, never renamed.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        // The request itself
        public static let malformed = Code(rawValue: "malformed")
        public static let invalidJSON = Code(rawValue: "invalid_json")
        public static let missingAttribute = Code(rawValue: "missing_attribute")
        public static let payloadTooLarge = Code(rawValue: "payload_too_large")
        public static let unsupportedMediaType = Code(rawValue: "unsupported_media_type")
        public static let requestTimeout = Code(rawValue: "request_timeout")
        public static let methodNotAllowed = Code(rawValue: "method_not_allowed")

        // Who is asking
        public static let signatureMissing = Code(rawValue: "signature_missing")
        public static let signatureInvalid = Code(rawValue: "signature_invalid")
        public static let signatureStale = Code(rawValue: "signature_stale")
        public static let unauthorized = Code(rawValue: "unauthorized")
        public static let forbidden = Code(rawValue: "forbidden")

        // What is asked for
        public static let notFound = Code(rawValue: "not_found")
        public static let unknownSource = Code(rawValue: "unknown_source")
        public static let retired = Code(rawValue: "retired")
        public static let conflict = Code(rawValue: "conflict")
        public static let managedByFile = Code(rawValue: "managed_by_file")
        public static let preconditionFailed = Code(rawValue: "precondition_failed")
        public static let invalidDocument = Code(rawValue: "invalid_document")
        public static let sameBody = Code(rawValue: "same_body")

        // The hub's own state
        public static let tooManyRequests = Code(rawValue: "too_many_requests")
        public static let overloaded = Code(rawValue: "overloaded")
        public static let secretUnavailable = Code(rawValue: "secret_unavailable")
        public static let storageFull = Code(rawValue: "storage_full")
        public static let storageFailed = Code(rawValue: "storage_failed")
        public static let shuttingDown = Code(rawValue: "shutting_down")
        public static let `internal` = Code(rawValue: "internal")

        // What a run or step can fail of
        public static let agentUnreachable = Code(rawValue: "agent_unreachable")
        public static let agentRefused = Code(rawValue: "agent_refused")
        public static let agentFailed = Code(rawValue: "agent_failed")
        public static let agentTimeout = Code(rawValue: "agent_timeout")
        public static let outputTooLarge = Code(rawValue: "output_too_large")
        public static let outputInvalid = Code(rawValue: "output_invalid")
        public static let commandFailed = Code(rawValue: "command_failed")
        public static let commandNotAllowed = Code(rawValue: "command_not_allowed")
        public static let addressNotAllowed = Code(rawValue: "address_not_allowed")
    }
}
