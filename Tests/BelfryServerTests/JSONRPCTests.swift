import BelfryCore
import BelfryEngine
import Testing

@testable import BelfryServer

@Suite("JSON-RPC")
struct JSONRPCTests {
    /// The code and id of the error that a message is answered with, of each of its calls.
    private func faults(_ text: String) -> [(code: Int64, id: String)?] {
        JSONRPCMessage(parsing: text.utf8).calls.map { call in
            switch call {
            case .success: nil
            case .failure(let failure): (failure.fault.code.rawValue, failure.id.text)
            }
        }
    }

    @Test("a call is taken apart; an id may be null, and without one it is a notification")
    func calls() throws {
        let call = try #require(try? JSONRPCCall.read(["jsonrpc": "2.0", "id": nil, "method": "ping"]).get())
        #expect(call.id == .null)
        #expect(try JSONRPCCall.read(["jsonrpc": "2.0", "method": "ping"]).get().id == nil)
        let message = JSONRPCMessage(parsing: #"{"jsonrpc":"2.0","id":1e2,"method":"x","params":[1]}"#.utf8)
        #expect(!message.isBatch)
        #expect(try message.calls[0].get().id?.text == "1e2")
    }

    @Test(
        "what is no call is refused with the specification's code",
        arguments: [
            ("", -32700, "null"), ("{", -32700, "null"), ("\u{0}", -32700, "null"), ("{}x", -32700, "null"),
            (String(repeating: "[", count: 10_000), -32700, "null"),
            ("[]", -32600, "null"), ("1", -32600, "null"), ("null", -32600, "null"), ("{}", -32600, "null"),
            (#"{"jsonrpc":"1.0","id":3,"method":"ping"}"#, -32600, "3"),
            (#"{"id":"a","method":"ping"}"#, -32600, #""a""#),
            (#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, -32600, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600, "1"),
            (#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600, "null"),
            (#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32600, "null"),
            (#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, -32600, "null"),
            ("{\"jsonrpc\":\"2.0\",\"id\":\(String(repeating: "9", count: 5000)),\"method\":\"ping\"}", -32600, "null"),
            ("{\"jsonrpc\":\"2.0\",\"id\":\"\(String(repeating: "a", count: 257))\",\"method\":\"p\"}", -32600, "null"),
        ] as [(String, Int64, String)])
    func refused(text: String, code: Int64, id: String) {
        let faults = faults(text)
        #expect(faults.count == 1)
        #expect(faults[0]?.code == code)
        #expect(faults[0]?.id == id)
    }

    @Test("a batch has 1 to 32 calls, each judged for itself")
    func batches() {
        let call = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
        let message = JSONRPCMessage(parsing: "[\(call),1,\(call)]".utf8)
        #expect(message.isBatch)
        #expect(faults("[\(call),1,\(call)]").map { $0?.code } == [nil, -32600, nil])
        let full = Array(repeating: call, count: 32).joined(separator: ",")
        #expect(faults("[\(full)]").count == 32)
        #expect(faults("[\(full),\(call)]").map { $0?.code } == [-32600])
    }

    @Test("of a member that stands there twice the later counts")
    func duplicateKeys() throws {
        let text = #"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","method":"subscribe"}"#
        let call = try JSONRPCMessage(parsing: text.utf8).calls[0].get()
        #expect(call.id == .int(2))
        #expect(call.method == "subscribe")
    }

    private func command(_ method: String, _ params: JSONValue?) -> Result<WebSocketCommand, JSONRPCFault> {
        Result { () throws(JSONRPCFault) in
            try WebSocketCommand(JSONRPCCall(id: .int(1), method: method, params: params))
        }
    }

    @Test("methods and their params")
    func commands() throws {
        let run = RunID(at: Timestamp(milliseconds: 1), bits: (1, 2))
        #expect(
            try command("subscribe", ["topics": ["runs", "runs", "run/*"]]).get()
                == .subscribe([.runs, .everyRun], after: nil))
        #expect(try command("subscribe", ["topics": ["alerts"], "after": 0]).get() == .subscribe([.alerts], after: 0))
        #expect(try command("unsubscribe", ["topics": ["alerts"]]).get() == .unsubscribe([.alerts]))
        #expect(
            try command("run.stop", ["run": .string(run.description)]).get()
                == .operate(OperatorCommand(order: .run(run, .stop))))
        #expect(try command("ping", nil).get() == .ping)
    }

    @Test(
        "wrong params are told, unknown methods too",
        arguments: [
            ("subscribe", nil, -32602), ("subscribe", [] as JSONValue, -32602), ("ping", [1], -32602),
            ("ping", "x", -32602), ("subscribe", ["topics": []], -32602), ("subscribe", ["topics": "runs"], -32602),
            ("subscribe", ["topics": ["odd"]], -32602), ("subscribe", ["topics": [1]], -32602),
            ("subscribe", ["topics": ["runs"], "after": -1], -32602),
            ("subscribe", ["topics": ["runs"], "after": "1"], -32602),
            ("subscribe", ["topics": ["runs"], "after": .double(1.5)], -32602),
            ("subscribe", ["topics": .array((0...100).map { .string("custom/a\($0)") })], -32602),
            ("subscribe", ["topics": ["runs"], "afterr": 1], -32602), ("watch", ["runs": [], "run": 1], -32602),
            ("unsubscribe", ["topics": ["runs"], "after": 1], -32602), ("ping", ["x": 1], -32602),
            ("run.stop", [:], -32602), ("run.stop", ["run": "run_x"], -32602),
            ("Ping", nil, -32601), ("rpc.discover", nil, -32601), ("", nil, -32601), ("frame", nil, -32601),
            ("run.jump", [1], -32601),
        ] as [(String, JSONValue?, Int64)])
    func wrong(method: String, params: JSONValue?, code: Int64) {
        guard case .failure(let fault) = command(method, params) else { return #expect(Bool(false)) }
        #expect(fault.code.rawValue == code)
    }

    @Test("an error of the hub carries its problem")
    func problems() {
        let json = JSONRPCAnswer.fault(JSONRPCFault(BelfryError(.notFound, "no such run")), id: .int(4)).value
        #expect(json["id"] == .int(4))
        #expect(json[path: ["error", "code"]] == .int(-32000))
        #expect(json[path: ["error", "data", "status"]] == .int(404))
        #expect(json[path: ["error", "data", "code"]]?.string == "not_found")
    }
}
