import BelfryCore
import Synchronization

/// A provider that speaks OpenAI's wire and says what it is told to, one turn for each request.
final class ScriptedModel: Sendable {
    enum Turn: Sendable {
        case text(String)
        /// Name and arguments of each call.
        case calls([(String, String)])
        /// A stream that says this and no more: byte by byte what a test wants.
        case raw(String)
        /// Nothing, until the peer closes.
        case silence
    }

    private let server: ScriptedServer

    init(_ turns: [Turn]) {
        let next = Mutex(turns[...])
        server = ScriptedServer { connection in
            while connection.readRequest() != nil {
                connection.beginStream()
                switch next.withLock({ $0.popFirst() }) ?? .text("nothing more to say") {
                case .text(let text):
                    let delta: JSONValue = ["content": .string(text)]
                    connection.writeChunk(Self.event(delta, finish: "stop"))
                case .calls(let calls):
                    let list = calls.enumerated().map { index, call -> JSONValue in
                        [
                            "index": .int(index), "id": .string("call_\(index)"), "type": "function",
                            "function": ["name": .string(call.0), "arguments": .string(call.1)],
                        ]
                    }
                    connection.writeChunk(Self.event(["tool_calls": .array(list)], finish: nil))
                    connection.writeChunk(Self.event([:], finish: "tool_calls"))
                case .raw(let text): connection.writeChunk(text)
                case .silence:
                    connection.waitForClose()
                    return
                }
                connection.writeChunk("data: [DONE]\n\n")
                connection.write("0\r\n\r\n")
            }
        }
    }

    private static func event(_ delta: JSONValue, finish: String?) -> String {
        let choice: JSONValue = ["index": 0, "delta": delta, "finish_reason": .optional(finish)]
        return "data: \(JSONValue.object(["choices": .array([choice])]).text)\n\n"
    }

    /// An agent's document.
    func agent(_ name: String) -> String {
        """
        agent: \(name)
        kind: openai
        base_url: \(server.url)/v1
        model: scripted
        """
    }

    /// The bodies of the requests so far.
    var asked: [JSONValue] {
        server.record.requests.compactMap { request in
            request.firstRange(of: "\r\n\r\n").flatMap {
                try? JSONValue(parsing: Array(request[$0.upperBound...].utf8))
            }
        }
    }

    /// The messages of the last request.
    var lastMessages: [JSONValue] { asked.last?["messages"]?.array ?? [] }
}
