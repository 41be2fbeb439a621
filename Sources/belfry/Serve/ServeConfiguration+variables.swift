extension ServeConfiguration {
    /// Variables that other parts read: the client commands, `ops/run`, and what stands in the environment of commands
    /// that a hub started.
    private static let otherVariables = [
        "BELFRY_URL", "BELFRY_TOKEN", "BELFRY_CONFIG", "BELFRY_DEMO", "BELFRY_BIN", "BELFRY_BENCH_PORT", "BELFRY_HUB",
        "BELFRY_RUN", "BELFRY_STEP",
    ]

    /// A line for each `BELFRY_…` variable that nothing reads: a misspelt one would be silently absent.
    static func unknownVariables(_ environment: [String: String]) -> [String] {
        let known = keys.map { "BELFRY_" + $0.uppercased().replacing(".", with: "_") } + otherVariables
        return environment.keys.filter { $0.hasPrefix("BELFRY_") && !$0.hasPrefix("BELFRY_COMMANDS_") }.sorted()
            .filter { !known.contains($0) }
            .map { name in
                let nearest = known.min { Spelling.distance($0, name) < Spelling.distance($1, name) } ?? ""
                return "the variable \(name) means nothing; is it \(nearest)?"
            }
    }
}
