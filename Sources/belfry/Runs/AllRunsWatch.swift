import BelfryCore

/// Follows all runs at once, until the process is ended.
struct AllRunsWatch {
    let client: APIClient
    let output: OutputFormat

    func follow() async throws {
        var renderer = AllRunsRenderer(isDecorated: Terminal.isInteractive)
        let topics: [(String, String?)] = [("topic", "runs"), ("topic", "run/*")]
        try await EventStream(client: client, path: "/v1/stream", query: topics).follow { frame in
            switch output {
            case .json: Terminal.write(frame.text + "\n")
            case .table: Terminal.write(renderer.render(frame))
            }
            return .goOn
        }
    }
}

/// Turns the frames of all runs into lines, each behind the name of its rule and the end of its run's id: the texts of
/// runs that work at the same time do not mix within a line.
struct AllRunsRenderer {
    private let isDecorated: Bool
    private var runs: [String: (renderer: RunRenderer, prefix: String, rest: String)] = [:]

    init(isDecorated: Bool) { self.isDecorated = isDecorated }

    /// What to write for the next frame: whole lines.
    mutating func render(_ frame: JSONValue) -> String {
        guard let id = frame["run"]?.string else { return "" }
        var run =
            runs[id]
            ?? (RunRenderer(run: id, isDecorated: isDecorated), Self.prefix(id, rule: frame["rule"]?.string), "")
        run.rest += run.renderer.render(frame)
        if let verdict = run.renderer.verdict { run.rest += run.renderer.end(verdict) }
        let isOver = run.renderer.verdict != nil
        let lines = Self.takeLines(&run.rest, all: isOver || run.rest.utf8.count > Limits.watchLineBytesMax)
        runs[id] = isOver ? nil : run
        return lines.map { "\(run.prefix)  \($0)\n" }.joined()
    }

    private static func prefix(_ run: String, rule: String?) -> String {
        Terminal.faint(Terminal.harmless("\(rule ?? "run") \(run.suffix(6))"))
    }

    /// Takes the complete lines, with `all` the one that has no end yet too.
    private static func takeLines(_ text: inout String, all: Bool) -> [Substring] {
        guard all || text.contains(where: \.isNewline) else { return [] }
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let rest = lines.removeLast()
        if all, !rest.isEmpty { lines.append(rest) }
        text = all ? "" : String(rest)
        return lines
    }
}
