import ArgumentParser
import BelfryCore

/// The hub's answer to an operator's command, for a person, and the exit code that goes with it.
enum CommandText {
    /// Shows the answer.
    ///
    /// Throws exit code 1 unless the command was applied.
    static func show(_ answer: JSONValue, as output: OutputFormat) throws {
        output.show(answer, line)
        if answer["result"]?.string != "applied" { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    /// Shows the answer of a command that makes a run, and that run's text if a client is there to watch it with.
    ///
    /// Throws exit code 1 unless the command was applied, and the run that is watched succeeds.
    static func show(_ answer: JSONValue, as output: OutputFormat, watching client: APIClient?) async throws {
        guard let client, answer["result"]?.string == "applied", let run = answer["run"]?.string else {
            return try show(answer, as: output)
        }
        // What is watched is what the reader wants to see; the answer goes beside it.
        if output == .table { Terminal.writeError(line(answer)) } else { try show(answer, as: output) }
        try await RunWatch(client: client, output: output).follow([run])
    }

    /// `applied after 12 ms`, `applied after 3 ms → run_…`, `rejected: already approved by anna at …`
    static func line(_ answer: JSONValue) -> String {
        let reason = answer["reason"]?.string.map { ": \($0)" } ?? ""
        // Behind a reason's own words it would read as one of them.
        let latency =
            answer["latency_ms"]?.number.map { reason.isEmpty ? " after \($0.text) ms" : " (\($0.text) ms)" } ?? ""
        let outcome = answer["run"] == nil ? answer["outcome"]?.string.map { " (\($0))" } ?? "" : ""
        let run = answer["run"]?.string.map { " → \($0)" } ?? ""
        return Terminal.harmless("\(answer.cell("result"))\(reason)\(outcome)\(latency)\(run)") + "\n"
    }
}
