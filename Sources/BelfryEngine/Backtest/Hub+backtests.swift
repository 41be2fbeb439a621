public import BelfryCore
import BelfryRules

extension Hub {
    /// Begins to hold a draft against stored events; see ``backtest(_:)``.
    /// - Throws: `invalid_document`, `not_found` for a rule by name, `malformed` for a window that is none,
    ///   `too_many_requests`.
    public func startBacktest(_ request: BacktestRequest) throws(BelfryError) -> BacktestID {
        guard request.from < request.to, request.to - request.from <= Limits.backtestWindowMax else {
            throw BelfryError(.malformed, "from must be before to, by no more than ten years")
        }
        guard request.runTakes >= .zero, request.runTakes <= Limits.stepTimeoutMax else {
            throw BelfryError(.malformed, "run_takes must be 0s to 24h")
        }
        let rules = try drafts(request.rule, only: request.name)
        guard rules.count == 1 else {
            let names = rules.map(\.definition.name).joined(separator: ", ")
            throw BelfryError(.invalidDocument, "there are \(rules.count) rules; say which one: \(names)")
        }
        return try backtests.start(rules[0].definition, request)
    }

    /// How far a backtest is, and its result when it is done.
    public func backtest(_ id: BacktestID) throws(BelfryError) -> JSONObject { try backtests.status(id) }

    /// Ends a backtest that runs; forgets one that has ended.
    public func cancelBacktest(_ id: BacktestID) throws(BelfryError) { try backtests.cancel(id) }
}
