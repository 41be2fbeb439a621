import ArgumentParser
import BelfryCore

/// Follows runs to their end and shows their text as it comes.
struct RunWatch {
    let client: APIClient
    let output: OutputFormat

    /// Watches the runs one after the other: what a later one said meanwhile is replayed.
    ///
    /// Throws exit code 1 if any of them did not succeed.
    func follow(_ runs: [String]) async throws {
        var hasFailed = false
        for run in runs {
            let state = try await follow(run)
            if state != RunState.succeeded.rawValue { hasFailed = true }
        }
        if hasFailed { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    private func follow(_ run: String) async throws -> String {
        var renderer = RunRenderer(run: run, isDecorated: Terminal.isInteractive)
        let path = "/v1/runs/\(PercentEncoding.component(run))"
        let stream = EventStream(client: client, path: path + "/stream", query: [("after", "0")])
        try await stream.follow { frame in
            switch output {
            case .json: Terminal.write(frame.text + "\n")
            case .table: Terminal.write(renderer.render(frame))
            }
            return Self.isLast(frame) ? .enough : .goOn
        }
        let answer = try await client.get(path)
        if output == .table { Terminal.write(renderer.end(answer)) }
        return answer.cell("state")
    }

    private static func isLast(_ frame: JSONValue) -> Bool {
        let type = frame["type"]?.string
        return type == FrameType.runFinished.rawValue || type == FrameType.runError.rawValue
    }
}
