import ArgumentParser
import BelfryCore

struct EventsReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Match stored events once more, on today's rules.",
        discussion: """
            Named by their ids, or chosen by --source; then it is what a pause kept from starting unless --status says \
            otherwise. A rule that has run for an event runs again once its last run has ended. Oldest first.

            Ends with 1 if an event that was named matches nothing, or is not there.

            EXAMPLE
              belfry events replay evt_01h455vb4pex5vsknk084sn02q --rule hot-pump
              belfry events replay --source github --last 24h
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "Events by their ids.") var ids: [String] = []
    @Option(help: "Only on this rule.") var rule: String?
    @Option(help: "All events of this source.") var source: String?
    @Option(help: "With --source: only matched, filtered, paused or accepted ones.") var status: EventsList.Status?
    @Option(help: ArgumentHelp("With --source: received within this time, e.g. 24h.", valueName: "duration"))
    var last: String?

    func validate() throws {
        guard ids.isEmpty != (source == nil) else {
            throw ValidationError("name events by their ids, or choose them with --source")
        }
        guard source != nil || (status == nil && last == nil) else {
            throw ValidationError("--status and --last go with --source")
        }
        guard last.map({ Duration(shorthand: $0) != nil }) ?? true else {
            throw ValidationError("--last must be a duration with its unit, such as 30m, 24h or 7d")
        }
    }

    func run() async throws {
        let client = try self.client.client()
        var replay = ReplayTally(showsEach: self.client.output == .table && source == nil)
        var events = ids
        if let source { events = try await stored(of: source, client) }
        for (index, id) in events.enumerated() {
            replay.showProgress(index, of: events.count)
            do {
                replay.add(try await one(id, client))
            } catch let failure as Failure where failure.code == .negative && events.count > 1 {
                replay.add(failure, of: id)
            } catch let failure as Failure where source != nil {
                replay.clearProgress()
                throw Failure(failure.code, "\(failure.message); \(index) of \(events.count) events were replayed")
            }
        }
        replay.clearProgress()
        self.client.output.show(replay.json) { _ in source == nil ? "" : replay.summary }
        if replay.failed > 0 || (source == nil && replay.unmatched > 0) {
            throw ExitCode(Failure.Code.negative.rawValue)
        }
    }

    /// The ids of the source's events, oldest first.
    private func stored(of source: String, _ client: APIClient) async throws -> [String] {
        let since = last.flatMap { Duration(shorthand: $0) }.map { WallClock.system.now() - $0 }
        let status = status ?? .paused
        var ids: [String] = []
        var cursor: String?
        repeat {
            let page = try await client.get(
                "/v1/events",
                [("source", source), ("status", status.rawValue), ("limit", "1000"), ("cursor", cursor)]
            )
            for event in page.items {
                if let since, let received = event["received"]?.string.flatMap({ Timestamp($0) }), received < since {
                    return ids.reversed()
                }
                if let id = event["id"]?.string { ids.append(id) }
            }
            cursor = page["next"]?.string
        } while cursor != nil
        return ids.reversed()
    }

    /// Waits while the hub has too much to do, not for ever.
    private func one(_ id: String, _ client: APIClient) async throws -> JSONValue {
        let path = "/v1/events/\(PercentEncoding.component(id))/replay"
        let body = rule.map { JSONValue.object(["rule": .string($0)]) }
        for _ in 0..<30 {
            let answer = try await client.exchange(
                "POST", path, headers: [(name: "Content-Type", value: "application/json")], body: body?.encoded() ?? [])
            if (200..<300).contains(answer.status) { return answer.body }
            guard answer.status == 503 || answer.status == 429 else { throw client.failure(answer, at: "POST \(path)") }
            try await Task.sleep(for: .seconds(1))
        }
        throw Failure(.serverError, "the hub takes nothing for 30 s; belfry doctor may say why")
    }
}
