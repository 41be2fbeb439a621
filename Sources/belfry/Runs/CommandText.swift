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

    /// `applied after 12 ms`, `rejected: already approved by anna at …`
    static func line(_ answer: JSONValue) -> String {
        let reason = answer["reason"]?.string.map { ": \($0)" } ?? ""
        let latency = answer["latency_ms"]?.number.map { " after \($0.text) ms" } ?? ""
        return Terminal.harmless("\(answer.cell("result"))\(reason)\(latency)") + "\n"
    }
}
