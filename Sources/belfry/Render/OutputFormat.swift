import ArgumentParser
import BelfryCore

/// How answers are shown.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json

    /// Shows an answer: as it came in JSON (an empty one shows nothing), else what `table` makes of it.
    func show(_ json: JSONValue, _ table: (JSONValue) -> String) {
        switch self {
        case .json: Terminal.write(json.isNull ? "" : json.text + "\n")
        case .table: Terminal.write(table(json))
        }
    }
}
