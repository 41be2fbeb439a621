import BelfryCore

/// What frames say of steps that wait, for a person.
enum WaitText {
    /// Of STEP_STATE: `confirm waits for a decision until 2026-01-02 03:04:05Z`
    static func line(_ data: JSONValue) -> String {
        let what =
            switch data["for"]?.string {
            case "approval"?: " for a decision"
            case "event"?: " for an event"
            case "retry"?: " for attempt \((data["attempt"]?.number?.int64 ?? 1) + 1)"
            case _: ""
            }
        let until = data["due"]?.string.map { _ in " until \(data.timeCell("due"))" } ?? ""
        let error = data["error"]?["message"]?.string.map { ": \($0)" } ?? ""
        return "\(data.cell("step")) waits\(what)\(until)\(error)"
    }

    /// Of APPROVAL_DECIDED: `confirm approved by anna`
    static func decision(_ data: JSONValue) -> String {
        let state = ApprovalText.state(data)
        // Nobody has expired it.
        guard state != "expired" else { return "\(data.cell("step")) \(state)" }
        let reason = data["reason"]?.string.map { ": \($0)" } ?? ""
        return "\(data.cell("step")) \(state) by \(data.cell("by"))\(reason)"
    }
}
