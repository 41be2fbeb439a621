public import BelfryCore
import BelfryRules
import BelfryStore

extension Hub {
    /// The engine's own numbers for `/metrics`.
    public var metrics: [MetricSample] {
        let statistics = store.statistics
        let slack = slackAnswers.counts
        func counter(_ name: String, _ help: String, _ value: some BinaryInteger) -> MetricSample {
            MetricSample(name, help: help, kind: .counter, value: Double(value))
        }
        func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) -> MetricSample {
            MetricSample(name, help: help, kind: .gauge, value: Double(value))
        }
        return [
            gauge("belfry_log_head_position", "Position of the last frame.", store.head),
            counter("belfry_log_frames_total", "Frames appended since the start.", statistics.frames),
            counter("belfry_store_commits_total", "Commits.", statistics.commits),
            counter("belfry_store_commits_failed_total", "Commits that failed.", statistics.failedCommits),
            counter("belfry_store_operations_total", "Operations committed.", statistics.operations),
            counter("belfry_store_checkpoints_total", "Checkpoints of the write-ahead log.", statistics.checkpoints),
            MetricSample(
                "belfry_store_commit_seconds_total", help: "Time spent waiting for the disk in COMMIT.", kind: .counter,
                value: Double(statistics.commitDuration.milliseconds) / 1000
            ),
            gauge(
                "belfry_store_operations_waiting", "Operations that wait for the writer.", statistics.operationsWaiting),
            gauge("belfry_store_waiting_bytes", "Bytes they hold.", statistics.bytesWaiting),
            gauge("belfry_store_wal_bytes", "Size of the write-ahead log.", statistics.walBytes),
            gauge("belfry_runs_at_work", "Runs at work.", mailboxes.count),
            gauge("belfry_paused", "1 while everything is paused.", registry.snapshot.isAllPaused ? 1 : 0),
            gauge(
                "belfry_rules_folder_broken", "1 while the rules folder can't be applied.",
                rulesFolder?.error == nil ? 0 : 1),
            counter(
                "belfry_slack_answers_total", "Buttons in Slack whose message says what became of them.", slack.told),
            counter(
                "belfry_slack_answers_failed_total", "Buttons in Slack whose message could not be changed.",
                slack.failed),
            gauge("belfry_rules", "Enabled rules.", registry.snapshot.ruleSet.currentRules.count),
            gauge("belfry_sources", "Sources.", registry.snapshot.sources.count),
        ]
    }
}
