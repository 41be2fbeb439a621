public import BelfryCore
import BelfryRules
import BelfryStore

public enum BacktestKind: IdentifierKind { public static let prefix = "bkt" }
public typealias BacktestID = Identifier<BacktestKind>

/// What is to be tried on stored events.
public struct BacktestRequest: Sendable {
    public var rule: RuleChoice
    /// Of several rules this one.
    public var name: String?
    public var from: Timestamp
    public var to: Timestamp
    /// Only events of this source.
    public var source: String?
    /// How long each run is taken to last.
    public var runTakes: Duration

    public init(
        rule: RuleChoice, name: String? = nil, from: Timestamp, to: Timestamp, source: String? = nil,
        runTakes: Duration = Limits.backtestRunTakesDefault
    ) {
        self.rule = rule
        self.name = name
        self.from = from
        self.to = to
        self.source = source
        self.runTakes = runTakes
    }
}

/// One backtest: a draft held against stored events, page after page. Nothing is stored or started.
struct Backtest: Sendable {
    /// How far it is, in events.
    struct Progress: Sendable, Hashable {
        var scanned = 0
        var total = 0
    }

    let rule: RuleDefinition
    let request: BacktestRequest
    let store: Store

    /// - Parameter goesOn: told how far it is after each page; `false` ends it.
    /// - Returns: the result; nil if it was ended.
    @concurrent
    func run(_ goesOn: @Sendable (Progress) -> Bool) async throws(BelfryError) -> JSONObject? {
        var tally = BacktestTally(rule: rule, request: request)
        var progress = Progress()
        if let stretch = try await store.stretch(from: request.from, to: request.to) {
            progress.total = stretch.count
            let rule = rule
            let scan = EventScan(
                from: request.from, to: request.to, source: request.source, rule: rule.name,
                isWanted: { rule.mayMatch(source: $0, type: $1) })
            var place = stretch.first - 1
            while place < stretch.last {
                guard goesOn(progress), !Task.isCancelled else { return nil }
                let page = try await store.scan(scan, after: place, last: stretch.last)
                for event in page.events { tally.add(event) }
                let length = stretch.last - stretch.first + 1
                place = page.through
                // By sequence, so that events of other sources count as done too; it never goes back.
                progress.scanned = Int(Double(place - stretch.first + 1) / Double(length) * Double(stretch.count))
                await yield()
            }
        }
        tally.finish()
        let runs = try await store.runCount(rule: rule.name, from: request.from, to: request.to)
        guard goesOn(progress) else { return nil }
        return tally.json(storedRuns: runs)
    }

    /// Deliveries go first.
    private func yield() async {
        if store.statistics.operationsWaiting > 0 {
            try? await Task.sleep(for: Limits.backtestYield)
        } else {
            await Task.yield()
        }
    }
}
