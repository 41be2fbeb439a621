/// Which names say that the value behind them is a secret. Such values are never written into documents.
enum Confidential {
    private static let words = [
        "authorization", "cookie", "signature", "token", "secret", "passw", "credential", "api-key", "apikey",
        "api_key",
        "access-key", "access_key", "accesskey", "private-key", "private_key",
    ]

    /// The name of a header, form field or variable, or a path whose last part counts.
    static func isSuspect(_ name: String) -> Bool {
        let last = name.lowercased().split(separator: ".").last { $0.contains { !$0.isNumber } } ?? ""
        if words.contains(where: { last.contains($0) }) { return true }
        return last.contains("auth") && !last.contains("author")
    }
}
