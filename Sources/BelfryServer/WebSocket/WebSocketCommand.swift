import BelfryCore
import BelfryEngine

/// What a client can ask for on a WebSocket.
enum WebSocketCommand: Sendable, Equatable {
    /// Nil: begin with the state so far.
    case subscribe([Topic], after: Int64?)
    case unsubscribe([Topic])
    /// What the person looks at, in place of what they looked at before.
    case watch(Set<RunID>)
    /// Of an operator, on a run.
    case operate(OperatorCommand)
    case ping

    /// All methods, as a call that names none of them is told.
    private static let methods =
        ["subscribe", "unsubscribe", "watch"] + CommandWord.allCases.map { "run.\($0)" }
        + RunsWord.allCases.map(\.rawValue)
        + ["approval.decide", "ping"]

    /// Reads a call's method and params.
    init(_ call: JSONRPCCall) throws(JSONRPCFault) {
        let command: WebSocketCommand?
        do {
            command = try Self.read(call.method, call.params ?? [:])
        } catch {
            throw JSONRPCFault(.invalidParams, error.message)
        }
        guard let command else {
            throw JSONRPCFault(
                .methodNotFound, "there is no such method; methods are \(Self.methods.joined(separator: ", "))")
        }
        self = command
    }

    /// Nil: there is no such method.
    private static func read(_ method: String, _ params: JSONValue) throws(BelfryError) -> WebSocketCommand? {
        switch method {
        case "subscribe":
            let params = try params.members(of: ["topics", "after"], "params")
            return .subscribe(try topics(params), after: try params.position("after"))
        case "unsubscribe": return .unsubscribe(try topics(try params.members(of: ["topics"], "params")))
        case "watch": return .watch(try runs(try params.members(of: ["runs"], "params")))
        case "approval.decide": return .operate(try decision(params))
        case "ping":
            _ = try params.members(of: [], "params")
            return .ping
        default:
            if let word = RunsWord(rawValue: method) { return .operate(try command(word, params)) }
            guard method.hasPrefix("run."), let word = CommandWord(rawValue: String(method.dropFirst(4))) else {
                return nil
            }
            return .operate(try command(word, params))
        }
    }

    private static func command(_ word: CommandWord, _ params: JSONValue) throws(BelfryError) -> OperatorCommand {
        let params = try params.members(of: word.members.union(["run", "command_id"]), "params")
        guard let run = params["run"]?.string.flatMap({ RunID($0) }) else {
            throw BelfryError(.malformed, "run must be an id such as run_…")
        }
        return OperatorCommand(order: try word.order(to: run, params), id: try params.commandID())
    }

    private static func command(_ word: RunsWord, _ params: JSONValue) throws(BelfryError) -> OperatorCommand {
        let params = try params.members(of: word.members.union(["command_id"]), "params")
        return OperatorCommand(order: try word.order(params), id: try params.commandID())
    }

    private static func decision(_ params: JSONValue) throws(BelfryError) -> OperatorCommand {
        guard let approval = params["approval"]?.string.flatMap({ ApprovalID($0) }) else {
            throw BelfryError(.malformed, "approval must be an id such as apr_…")
        }
        guard let word = params["decision"]?.string.flatMap(VerdictWord.init(rawValue:)) else {
            throw BelfryError(.malformed, "decision must be approve or deny")
        }
        let params = try params.members(of: word.members.union(["approval", "decision", "command_id"]), "params")
        return OperatorCommand(order: .approval(approval, try word.verdict(params)), id: try params.commandID())
    }

    private static func topics(_ params: JSONObject) throws(BelfryError) -> [Topic] {
        guard let topics = try params.topics("topics"), !topics.isEmpty else {
            throw BelfryError(.malformed, "topics must be a list of at least one topic such as run/* and alerts")
        }
        return topics
    }

    private static func runs(_ params: JSONObject) throws(BelfryError) -> Set<RunID> {
        guard let ids = params["runs"]?.array, ids.count <= Limits.presenceRunsPerConnectionMax else {
            throw BelfryError(
                .malformed, "runs must be a list of at most \(Limits.presenceRunsPerConnectionMax) runs")
        }
        var runs: Set<RunID> = []
        for id in ids {
            guard let run = id.string.flatMap({ RunID($0) }) else {
                throw BelfryError(.malformed, "a run is an id such as run_…")
            }
            runs.insert(run)
        }
        return runs
    }
}
