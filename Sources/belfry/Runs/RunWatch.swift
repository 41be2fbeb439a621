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
            if try await follow(run).state != RunState.succeeded.rawValue { hasFailed = true }
        }
        if hasFailed { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    private func follow(_ run: String) async throws -> RunVerdict {
        let isDecorated = Terminal.isInteractive && output == .table
        var renderer = RunRenderer(run: run, isDecorated: isDecorated)
        let path = "/v1/runs/\(PercentEncoding.component(run))"
        let stream = EventStream(client: client, path: path + "/stream", query: [("after", "0")])
        try await stream.follow { frame in
            switch output {
            case .json: Terminal.write(frame.text + "\n")
            case .table: Terminal.write(renderer.render(frame))
            }
            if !isDecorated, let attempt = renderer.attemptBegun(by: frame) {
                Terminal.writeError("attempt \(attempt) begins anew\n")
            }
            return RunVerdict(last: frame) == nil ? .goOn : .enough
        }
        // The last frame has the verdict. Only where it is no longer kept the run itself is asked.
        let verdict =
            if let verdict = renderer.verdict { verdict } else { RunVerdict(run: try await client.get(path)) }
        if output == .table { Terminal.write(renderer.end(verdict)) }
        if !isDecorated, verdict.state != RunState.succeeded.rawValue {
            Terminal.writeError("\(run) \(verdict.text)\n")
        }
        return verdict
    }
}
