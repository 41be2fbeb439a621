import BelfryCore

/// How a run ended, and why.
struct RunVerdict: Equatable {
    var state: String
    var reason: String?
    var message: String?

    /// From the last frame of a run; nil for any other frame.
    init?(last frame: JSONValue) {
        let type = frame["type"]?.string
        guard type == FrameType.runFinished.rawValue || type == FrameType.runError.rawValue else { return nil }
        self.init(run: frame["data"] ?? .null)
    }

    /// From a run as the API shows it: it has the same members.
    init(run: JSONValue) {
        state = run.cell("state")
        reason = run["reason"]?.string
        message = run["error"]?["message"]?.string
    }

    /// `failed (error): the provider answered 401`
    var text: String { state + why }

    /// What follows the state: ` (error): the provider answered 401`; empty where all went well.
    var why: String {
        let reason = reason.map { $0 == EndReason.completed.rawValue ? "" : " (\($0))" } ?? ""
        return Terminal.harmless(reason + (message.map { ": " + $0 } ?? ""))
    }
}
