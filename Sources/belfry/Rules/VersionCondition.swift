import ArgumentParser

/// The version that a change builds on: another one there, and nothing is done.
struct VersionCondition: ParsableArguments {
    @Option(
        name: .customLong("if-version"),
        help: "Only if the rule is at this version, as belfry rules show says.")
    var version: Int64?

    /// As the API wants it.
    var headers: [(name: String, value: String)] { version.map { [("If-Match", "\"\($0)\"")] } ?? [] }
}
