import ArgumentParser
import BelfryCore
import Glibc
import UnixSignals

/// Starts a backtest and waits for its end; on a terminal it shows how far it is, and Ctrl-C cancels it in the hub.
struct BacktestWatch: Sendable {
    let client: APIClient
    let showsProgress: Bool

    private enum Ending: Sendable {
        case answer(JSONValue)
        case signal
    }

    /// What the hub says of the backtest when it is done.
    func result(of request: JSONValue) async throws -> JSONValue {
        // From here on a signal waits until there is something to cancel.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let started = try await client.post("/v1/rules/backtest", request)
        let path = "/v1/rules/backtest/\(PercentEncoding.component(started["id"]?.string ?? ""))"
        let ending = try await withThrowingTaskGroup(of: Ending.self) { tasks in
            tasks.addTask {
                for await _ in signals { return .signal }
                return .signal
            }
            tasks.addTask { .answer(try await poll(path)) }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? .signal
        }
        clear()
        switch ending {
        case .signal:
            _ = try await client.call("DELETE", path)
            Terminal.complain("cancelled")
            // As a shell says it of SIGINT.
            throw ExitCode(130)
        case .answer(let answer):
            switch answer["state"]?.string {
            case "done"?: return answer
            case "cancelled"?: throw Failure(.negative, "the backtest was cancelled")
            default: throw Failure(.serverError, "the backtest failed: \(answer["error"]?["message"]?.string ?? "?")")
            }
        }
    }

    private func poll(_ path: String) async throws -> JSONValue {
        var pause = Duration.milliseconds(50)
        while true {
            let answer = try await client.get(path)
            guard answer["state"]?.string == "running" else { return answer }
            show(answer["progress"] ?? .null)
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(400))
        }
    }

    // MARK: Progress

    private var isShown: Bool { showsProgress && Terminal.isInteractive && isatty(STDERR_FILENO) == 1 }

    private func show(_ progress: JSONValue) {
        guard isShown else { return }
        Terminal.writeError("\r\u{1B}[K" + Self.line(progress))
    }

    private func clear() {
        if isShown { Terminal.writeError("\r\u{1B}[K") }
    }

    /// `[############                  ]  40 %  400000 of 1000000 events`
    static func line(_ progress: JSONValue) -> String {
        let scanned = progress["scanned"]?.number?.int64 ?? 0
        let total = progress["total"]?.number?.int64 ?? 0
        guard total > 0 else { return "looking for the events" }
        let width: Int64 = 30
        let full = Int(min(width, scanned * width / total))
        let bar = String(repeating: "#", count: full) + String(repeating: " ", count: Int(width) - full)
        let percent = String(min(100, scanned * 100 / total))
        let padded = String(repeating: " ", count: max(0, 3 - percent.count)) + percent
        return "[\(bar)] \(padded) %  \(scanned) of \(total) events"
    }
}
