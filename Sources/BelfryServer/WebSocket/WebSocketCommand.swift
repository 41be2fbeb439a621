import BelfryCore

/// What a client can ask for on a WebSocket.
enum WebSocketCommand: Sendable, Equatable {
    /// Nil: begin with the state so far.
    case subscribe([Topic], after: Int64?)
    case unsubscribe([Topic])
    case stop(RunID, CommandID?)
    case ping

    /// Reads a call's method and params.
    init(_ call: JSONRPCCall) throws(JSONRPCFault) {
        switch call.method {
        case "subscribe":
            let params = try Self.params(call)
            self = .subscribe(try Self.topics(params), after: try Self.position(params))
        case "unsubscribe": self = .unsubscribe(try Self.topics(try Self.params(call)))
        case "run.stop":
            let params = try Self.params(call)
            guard let run = params["run"]?.string.flatMap({ RunID($0) }) else {
                throw JSONRPCFault(.invalidParams, "run must be an id such as run_…")
            }
            let command = params["command_id"]
            let commandID = command?.string.flatMap { CommandID($0) }
            guard command == nil || commandID != nil else {
                throw JSONRPCFault(.invalidParams, "command_id must be an id such as cmd_…")
            }
            self = .stop(run, commandID)
        case "ping":
            _ = try Self.params(call)
            self = .ping
        default:
            throw JSONRPCFault(
                .methodNotFound, "there is no such method; methods are subscribe, unsubscribe, run.stop, ping"
            )
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

    private static func position(_ params: JSONObject) throws(JSONRPCFault) -> Int64? {
        guard let after = params["after"] else { return nil }
        guard let position = after.number?.int64, position >= 0 else {
            throw JSONRPCFault(.invalidParams, "after must be a position: a whole number from 0")
        }
        return position
    }
}
