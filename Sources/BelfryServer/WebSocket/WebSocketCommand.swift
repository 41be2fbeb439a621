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
        switch call.method {
        case "subscribe":
            let params = try Self.params(call)
            self = .subscribe(try Self.topics(params), after: try Self.position(params))
        case "unsubscribe": self = .unsubscribe(try Self.topics(try Self.params(call)))
        case "watch": self = .watch(try Self.runs(try Self.params(call)))
        case "approval.decide": self = .operate(try Self.decision(try Self.params(call)))
        case "ping":
            _ = try Self.params(call)
            self = .ping
        default:
            if let word = RunsWord(rawValue: call.method) {
                self = .operate(try Self.command(word, try Self.params(call)))
                return
            }
            guard call.method.hasPrefix("run."), let word = CommandWord(rawValue: String(call.method.dropFirst(4)))
            else {
                throw JSONRPCFault(
                    .methodNotFound,
                    "there is no such method; methods are \(Self.methods.joined(separator: ", "))")
            }
            self = .operate(try Self.command(word, try Self.params(call)))
        }
    }

    private static func command(_ word: CommandWord, _ params: JSONObject) throws(JSONRPCFault) -> OperatorCommand {
        guard let run = params["run"]?.string.flatMap({ RunID($0) }) else {
            throw JSONRPCFault(.invalidParams, "run must be an id such as run_…")
        }
        do {
            let body = try JSONValue.object(params).members(of: word.members.union(["run", "command_id"]))
            return OperatorCommand(order: try word.order(to: run, body), id: try body.commandID())
        } catch {
            throw JSONRPCFault(.invalidParams, error.message)
        }
    }

    private static func command(_ word: RunsWord, _ params: JSONObject) throws(JSONRPCFault) -> OperatorCommand {
        do {
            let body = try JSONValue.object(params).members(of: word.members.union(["command_id"]))
            return OperatorCommand(order: try word.order(body), id: try body.commandID())
        } catch {
            throw JSONRPCFault(.invalidParams, error.message)
        }
    }

    private static func decision(_ params: JSONObject) throws(JSONRPCFault) -> OperatorCommand {
        guard let approval = params["approval"]?.string.flatMap({ ApprovalID($0) }) else {
            throw JSONRPCFault(.invalidParams, "approval must be an id such as apr_…")
        }
        guard let word = params["decision"]?.string.flatMap(VerdictWord.init(rawValue:)) else {
            throw JSONRPCFault(.invalidParams, "decision must be approve or deny")
        }
        do {
            let names: Set = ["approval", "decision", "command_id"]
            let body = try JSONValue.object(params).members(of: word.members.union(names))
            return OperatorCommand(order: .approval(approval, try word.verdict(body)), id: try body.commandID())
        } catch {
            throw JSONRPCFault(.invalidParams, error.message)
        }
    }

    private static func params(_ call: JSONRPCCall) throws(JSONRPCFault) -> JSONObject {
        guard let params = call.params else { return [:] }
        guard let object = params.object else { throw JSONRPCFault(.invalidParams, "params must be an object") }
        return object
    }

    private static func topics(_ params: JSONObject) throws(JSONRPCFault) -> [Topic] {
        guard let names = params["topics"]?.array, !names.isEmpty else {
            throw JSONRPCFault(.invalidParams, "topics must be an array of at least one topic")
        }
        guard names.count <= Limits.topicsPerSubscriptionMax else {
            throw JSONRPCFault(
                .invalidParams, "a connection has at most \(Limits.topicsPerSubscriptionMax) topics"
            )
        }
        var topics: [Topic] = []
        for name in names {
            guard let text = name.string else { throw JSONRPCFault(.invalidParams, "a topic is a string") }
            do {
                let topic = try Topic(named: text)
                if !topics.contains(topic) { topics.append(topic) }
            } catch {
                throw JSONRPCFault(.invalidParams, error.message)
            }
        }
        return topics
    }

    private static func runs(_ params: JSONObject) throws(JSONRPCFault) -> Set<RunID> {
        guard let ids = params["runs"]?.array, ids.count <= Limits.presenceRunsPerConnectionMax else {
            throw JSONRPCFault(
                .invalidParams, "runs must be an array of at most \(Limits.presenceRunsPerConnectionMax) runs")
        }
        var runs: Set<RunID> = []
        for id in ids {
            guard let run = id.string.flatMap({ RunID($0) }) else {
                throw JSONRPCFault(.invalidParams, "a run is an id such as run_…")
            }
            runs.insert(run)
        }
        return runs
    }

    private static func position(_ params: JSONObject) throws(JSONRPCFault) -> Int64? {
        guard let after = params["after"] else { return nil }
        guard let position = after.number?.int64, position >= 0 else {
            throw JSONRPCFault(.invalidParams, "after must be a position: a whole number from 0")
        }
        return position
    }
}
