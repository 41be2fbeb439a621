import BelfryCore

extension Failure {
    /// From an answer that is no success: a problem document (RFC 9457) with a `code`, or whatever else came.
    init(problem answer: APIClient.Answer, at request: String) {
        let problem = answer.body
        let said = problem["detail"]?.string ?? problem["title"]?.string ?? "status \(answer.status)"
        let code = problem["code"]?.string.map { " (\($0))" } ?? ""
        switch answer.status {
        case 401:
            self.init(
                .refused, "\(said)\(code); give a token with --token or BELFRY_TOKEN, or run where DIR/admin.token is")
        case 403:
            self.init(.refused, "\(said)\(code)")
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

    /// `file:line: path: message`
    private static func line(of diagnostic: JSONValue) -> String {
        let file = diagnostic["file"]?.string ?? "document"
        let line = diagnostic["line"]?.number?.text ?? "1"
        let path = diagnostic["path"]?.string.flatMap { $0.isEmpty ? nil : "\($0): " } ?? ""
        return "\(file):\(line): \(path)\(diagnostic["message"]?.string ?? "")"
    }
}
