/// A hook of adnanh/webhook (github.com/adnanh/webhook, 2.8) as its file says it.
struct Hook: Sendable {
    var id: String
    var executeCommand = ""
    var workingDirectory = ""
    var arguments: [HookParameter] = []
    var environment: [HookParameter] = []
    var files: [HookParameter] = []
    var parsedAsJSON: [HookParameter] = []
    /// Nil: every request triggers it.
    var trigger: HookRule?
    /// In an `or`, a wrong signature is a plain "no" and not an error.
    var hasSoftFailures = false
    /// In place of the request's own.
    var contentType = ""
    /// Empty: all.
    var methods: [String] = []
    var responseMessage = ""
    var responseHeaders: [(name: String, value: String)] = []
    /// 0: 200.
    var successCode = 0
    /// 0: 200.
    var mismatchCode = 0
    var answersWithOutput = false
    var answersWithOutputOnError = false
    /// Keys that webhook does not know either, with their path.
    var unknownKeys: [String] = []
}

/// What must hold for a hook to be triggered.
indirect enum HookRule: Sendable {
    case and([HookRule])
    case or([HookRule])
    case not(HookRule)
    case match(HookMatch)
    /// `{}`, which webhook takes for "no".
    case nothing
}

/// One condition of a rule.
struct HookMatch: Sendable {
    var type = ""
    var value = ""
    var regex = ""
    var secret = ""
    var addresses = ""
    var parameter = HookParameter()
}

/// A value of the request.
struct HookParameter: Sendable {
    /// `header`, `payload`, `url`, …
    var source = ""
    var name = ""
    /// For environment and files: the variable.
    var variable = ""
    var isBase64 = false
    /// Headers whose values are signed behind the body.
    var signedHeaders: [String] = []
}
