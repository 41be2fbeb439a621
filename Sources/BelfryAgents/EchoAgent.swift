import BelfryCore

/// The built-in agent without a network: says its prompt back, word by word.
struct EchoAgent: Agent {
    let wordsPerSecond: Double
    let outputBytesMax: Int
    let clock: any Clock<Duration>

    /// Above this many words a second several go together: no clock wakes up more often than every millisecond.
    private static let piecesPerSecondMax = 1000.0

    func run(_ request: AgentRequest, emit: (AgentOutput) async throws -> Void) async throws(BelfryError) {
        try request.refuseTools(kind: "echo")
        guard request.prompt.utf8.count <= outputBytesMax else { throw .outputTooLarge(outputBytesMax) }
        let rate = wordsPerSecond.isFinite && wordsPerSecond > 0 ? wordsPerSecond : Self.piecesPerSecondMax
        let wordsPerPiece = max(1, Int((min(rate, 1e9) / Self.piecesPerSecondMax).rounded(.up)))
        let words = Self.words(of: request.prompt)
        do {
            for first in stride(from: 0, to: words.count, by: wordsPerPiece) {
                if first > 0 { try await clock.sleep(for: .seconds(Double(wordsPerPiece) / rate)) }
                try Task.checkCancellation()
                try await emit(.text(words[first..<min(first + wordsPerPiece, words.count)].joined()))
            }
        } catch {
            throw BelfryError(fromEmit: error)
        }
    }

    /// The text in pieces that joined are the text: each a word with the white space behind it (the first with what
    /// stands before it too). Cut between Unicode scalars, so that joining cannot change a byte.
    static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var hasLetters = false
        var endsInSpace = false
        for scalar in text.unicodeScalars {
            let isSpace = scalar.properties.isWhitespace
            if !isSpace, endsInSpace, hasLetters {
                words.append(String(word))
                word = String.UnicodeScalarView()
            }
            if !isSpace { hasLetters = true }
            endsInSpace = isSpace
            word.append(scalar)
        }
        if !word.isEmpty { words.append(String(word)) }
        return words
    }
}

extension BelfryError {
    static func outputTooLarge(_ bytesMax: Int) -> BelfryError {
        BelfryError(.outputTooLarge, "the output is longer than \(bytesMax) bytes (output_max)")
    }
}
