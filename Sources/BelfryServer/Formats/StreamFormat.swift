import BelfryCore

/// How the stream of one run is written.
enum StreamFormat: String, CaseIterable, Sendable {
    /// The frames of the log as they are.
    case frames
    /// Events of AG-UI 1.0 (docs.ag-ui.com).
    case agui
    /// The text of one step as OpenAI's `chat.completion.chunk`s.
    case openAI = "openai"
    /// The text of one step, and nothing else.
    case text

    /// Whether it carries one step, and not the run.
    var isOfOneStep: Bool { self == .openAI || self == .text }

    /// Reads `?format=`.
    init(named name: String?) throws(BelfryError) {
        guard let name else {
            self = .frames
            return
        }
        guard let format = Self(rawValue: name) else {
            let all = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw BelfryError(.malformed, "the format \"\(name.prefix(40))\" is not spoken here; there is: \(all)")
        }
        self = format
    }
}
