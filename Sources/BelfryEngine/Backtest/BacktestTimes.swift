import BelfryCore

/// Matches and runs by hour, over a long window by day.
struct BacktestTimes: Sendable {
    private let unitSeconds: Int64
    private let unit: String
    private var rows: [Int64: (matches: Int, runs: Int)] = [:]

    init(from: Timestamp, to: Timestamp) {
        let isLong = to - from > .seconds(Limits.backtestHoursMax * 3600)
        unitSeconds = isLong ? 86400 : 3600
        unit = isLong ? "day" : "hour"
    }

    mutating func addMatch(at time: Timestamp) { rows[time.seconds / unitSeconds, default: (0, 0)].matches += 1 }
    mutating func addRun(at time: Timestamp) { rows[time.seconds / unitSeconds, default: (0, 0)].runs += 1 }

    /// `{unit, rows: [{from, matches, runs}], most: {from, matches, runs}|null}`: those in which anything happened.
    var json: JSONObject {
        let sorted = rows.sorted { $0.key < $1.key }
        let most = sorted.max { ($0.value.runs, $0.value.matches, $1.key) < ($1.value.runs, $1.value.matches, $0.key) }
        return [
            "unit": .string(unit), "rows": .array(sorted.map { row($0.key, $0.value) }),
            "most": most.map { row($0.key, $0.value) } ?? .null,
        ]
    }

    private func row(_ index: Int64, _ counts: (matches: Int, runs: Int)) -> JSONValue {
        [
            "from": .string(Timestamp(seconds: index * unitSeconds).description), "matches": .int(counts.matches),
            "runs": .int(counts.runs),
        ]
    }
}
