import BelfryCore

/// A secret that a person gives: out of a file or from stdin, never on the command line, where others could read it.
enum SecretInput {
    /// The text without the line feed at its end.
    static func read(_ path: String) throws -> String {
        var text: Substring
        do {
            text = try LocalFile.text(at: path, bytesMax: 64 * 1024)[...]
        } catch let failure as Failure {
            throw Failure(failure.code, "--secret-file: \(failure.message)")
        }
        while text.last?.isNewline == true { text.removeLast() }
        guard !text.isEmpty else { throw Failure(.usage, "--secret-file: \(path) is empty") }
        return String(text)
    }
}
