import BelfryCore
import Foundation

/// How a run of `belfry` ended.
struct CommandResult: Sendable {
    var code: Int32
    var output: String
    var errors: String

    var json: JSONValue { (try? JSONValue(parsing: output)) ?? .null }

    /// Runs `belfry` with these arguments to its end.
    static func of(
        _ arguments: [String], environment: [String: String] = [:], in folder: TemporaryFolder
    ) async throws -> CommandResult {
        let name = "\(folder.path)/\(UUID().uuidString)"
        let process = try ChildProcess(
            try BuildProducts.belfry(), arguments, environment: environment, outputPath: name + ".out",
            errorPath: name + ".err"
        )
        let code = try await process.end()
        return CommandResult(code: code, output: process.output, errors: process.errors)
    }
}
