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

    /// The newest run that has not ended; waits for one to begin if there is none.
    func newest() async throws -> String {
        var found: String?
        // The stream begins with the runs that have not ended, so that none begins unseen between two questions.
        try await EventStream(client: client, path: "/v1/stream", query: [("topic", "runs")]).follow { frame in
            found = Self.newest(in: frame)
            if found == nil, frame["type"]?.string == FrameType.snapshot.rawValue, Terminal.isInteractive {
                Terminal.writeError("no run is at work; waiting for the next one\n")
            }
            return found == nil ? .goOn : .enough
        }
        guard let found else { throw Failure(.unreachable, "the hub ended the stream before a run began") }
        return found
    }

    /// Of a snapshot's runs the newest, whose id is the greatest; else the run that a frame tells of, unless that has
    /// ended.
    static func newest(in frame: JSONValue) -> String? {
        if frame["type"]?.string == FrameType.snapshot.rawValue {
            return (frame["data"]?["runs"]?.array ?? []).compactMap { $0["run"]?.string ?? $0["id"]?.string }.max()
        }
        return RunVerdict(last: frame) == nil ? frame["run"]?.string : nil
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
            if !isDecorated, let question = ApprovalText.question(in: frame) { Terminal.writeError(question) }
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
