import Foundation

/// A `belfry listen` at work.
struct Listening {
    let process: ChildProcess
    let folder: TemporaryFolder

    /// Starts it for the topic `alerts`, unless `arguments` name others.
    /// - Parameter arguments: what follows `listen`; `--exec …` last.
    static func start(
        _ url: String, token: String = "tok", topics: [String] = ["alerts"], _ arguments: [String] = [],
        environment: [String: String] = [:], folder: TemporaryFolder? = nil
    ) throws -> Listening {
        let folder = try folder ?? TemporaryFolder()
        let name = "\(folder.path)/\(UUID().uuidString)"
        let own = ["BELFRY_URL": url, "BELFRY_TOKEN": token]
        let process = try ChildProcess(
            try BuildProducts.belfry(), ["listen"] + topics.flatMap { ["--topic", $0] } + arguments,
            environment: own.merging(environment) { $1 }, outputPath: name + ".out", errorPath: name + ".err"
        )
        return Listening(process: process, folder: folder)
    }

    var lines: [String] { process.output.split(separator: "\n").map(String.init) }

    /// Waits until it has printed so many lines.
    func lines(_ count: Int, within deadline: Duration = .seconds(20)) async throws -> [String] {
        do {
            return try await eventually(within: deadline, "\(count) lines") { lines.count >= count ? lines : nil }
        } catch {
            throw Timeout(what: "\(count) lines; there were \(lines), and on stderr \(process.errors)")
        }
    }

    /// SIGTERM, and its exit code.
    func terminate() async throws -> Int32 {
        process.send(15)
        return try await process.end(within: .seconds(15))
    }
}

extension Documents {
    /// The documents of ``github(wordsPerSecond:prompt:)`` with a notice for every event.
    static let notifying = github().replacing("rule: triage\n", with: "rule: triage\nnotify: true\n")
}
