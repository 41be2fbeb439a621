public import BelfryCore
import BelfryRules
import BelfryStore

extension Hub {
    /// Begins to hold a draft against stored events; see ``backtest(_:)``.
    /// - Throws: `invalid_document`, `not_found` for a rule by name and for a source that there neither is nor was, `malformed` for a window that is none,
    ///   `too_many_requests`.
    public func startBacktest(_ request: BacktestRequest) async throws(BelfryError) -> BacktestID {
        guard request.from < request.to, request.to - request.from <= Limits.backtestWindowMax else {
            throw BelfryError(.malformed, "from must be before to, by no more than ten years")
        }
        guard request.runTakes >= .zero, request.runTakes <= Limits.stepTimeoutMax else {
            throw BelfryError(.malformed, "run_takes must be 0s to 24h")
        }
        if let source = request.source { try await checkHasEvents(source: source) }
        let rules = try drafts(request.rule, only: request.name)
        guard rules.count == 1 else {
            let names = rules.map(\.definition.name).joined(separator: ", ")
            throw BelfryError(.invalidDocument, "there are \(rules.count) rules; say which one: \(names)")
        }
        return try backtests.start(rules[0].definition, request)
    }

    /// A source that is gone, or is published to without a document, has events all the same.
    private func checkHasEvents(source: String) async throws(BelfryError) {
        guard registry.snapshot.sources[source] == nil,
            try await store.events(EventFilter(source: source), max: 1).items.isEmpty
        else { return }
        throw unknown(DocumentName(.source, String(source.prefix(Limits.nameBytesMax))))
    }

    /// How far a backtest is, and its result when it is done.
    public func backtest(_ id: BacktestID) throws(BelfryError) -> JSONObject { try backtests.status(id) }

    /// Ends a backtest that runs; forgets one that has ended.
    public func cancelBacktest(_ id: BacktestID) throws(BelfryError) { try backtests.cancel(id) }
}
