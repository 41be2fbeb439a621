/// Headers that never leave this module, whoever asks to keep them.
enum ConfidentialHeader {
    /// Words that mark a header as a credential: `Authorization`, `Cookie`, `X-Hub-Signature-256`, `X-Gitlab-Token`, ….
    private static let words = [
        "authorization", "cookie", "signature", "token", "secret", "password", "api-key", "apikey",
    ].map { Array($0.utf8) }

    static func isSuspect(_ lowerCaseName: String) -> Bool {
        let name = Array(lowerCaseName.utf8)
        return words.contains { word in
            name.indices.contains { name[$0...].starts(with: word) }
        }
    }
}
