import BelfryCore

extension Failure {
    /// From an answer that is no success: a problem document (RFC 9457) with a `code`, or whatever else came.
    /// - Parameter noTokenAt: the file in which a token was looked for in vain; nil if one was sent.
    init(problem answer: APIClient.Answer, at request: String, noTokenAt path: String? = nil) {
        let problem = answer.body
        let said = problem["detail"]?.string ?? problem["title"]?.string ?? "status \(answer.status)"
        let code = problem["code"]?.string.map { " (\($0))" } ?? ""
        switch answer.status {
        case 401:
            if let path {
                self.init(
                    .refused, "no token at \(path); give one with --token or BELFRY_TOKEN, or the folder with --data")
                return
            }
            self.init(
                .refused, "\(said)\(code); give a token with --token or BELFRY_TOKEN, or run where DIR/admin.token is")
        case 403:
            self.init(.refused, "\(said)\(code)")
        case 412:
            self.init(.negative, "nothing was done: \(said)\(code)\(Self.wayOn(from: problem))")
        case 422:
            let lines = problem["diagnostics"]?.array ?? []
            let diagnostics = lines.map { "\n  " + Self.line(of: $0) }.joined()
            self.init(
                .negative, diagnostics.isEmpty ? "\(said)\(code)" : "not valid, so nothing was done:\(diagnostics)")
        case 500...:
            self.init(.serverError, "the hub failed at \(request): \(said)\(code); its log says more")
        default:
            self.init(.negative, "\(said)\(code)")
        }
    }

    /// From what the hub itself threw, where the command is the hub (`belfry serve`).
    init(ofHub error: BelfryError) {
        let diagnostics = (error.details["diagnostics"]?.array ?? []).map { "\n  " + Self.line(of: $0) }.joined()
        let code: Code =
            switch error.code {
            case .invalidDocument, .notFound, .conflict, .managedByFile: .negative
            case .malformed, .secretUnavailable: .usage
            default: .serverError
            }
        self.init(code, diagnostics.isEmpty ? error.message : "the documents are not valid:\(diagnostics)")
    }

    /// How to go on where somebody else was faster.
    private static func wayOn(from problem: JSONValue) -> String {
        guard let rule = problem["document"]?.string?.split(separator: "/"), rule.count == 2, rule[0] == "rule",
            let version = problem["version"]?.number?.int64, version > 0
        else { return "" }
        return "; belfry rules diff \(rule[1]) shows the last change, --if-version \(version) builds on it"
    }

    /// `file:line: path: message`
    private static func line(of diagnostic: JSONValue) -> String {
        let file = diagnostic["file"]?.string ?? "document"
        let line = diagnostic["line"]?.number?.text ?? "1"
        let path = diagnostic["path"]?.string.flatMap { $0.isEmpty ? nil : "\($0): " } ?? ""
        return "\(file):\(line): \(path)\(diagnostic["message"]?.string ?? "")"
    }
}
