import BelfryCore
import Testing

@testable import belfry

struct ListenStateMachineTests {
    private func request(_ state: inout ListenStateMachine) throws -> JSONValue {
        try JSONValue(parsing: state.opened().request)
    }

    private func position(asked request: JSONValue) -> Int64? {
        request["params"]?["after"]?.number?.int64
    }

    /// The frame that is to be handled, if any; handles it.
    private func title(_ state: inout ListenStateMachine, _ text: String) throws -> String? {
        guard case .frame(let frame) = try state.received(Array(text.utf8)) else { return nil }
        state.handled(frame)
        return frame["data"]?["title"]?.string
    }

    @Test("it begins now: the hub's position is taken, the snapshot is no news, and a reconnect asks for what follows")
    func beginsNow() throws {
        var state = ListenStateMachine(topics: ["alerts", "runs"], position: nil)
        let first = try request(&state)
        #expect(first["method"]?.string == "subscribe")
        #expect(first["params"]?["topics"]?.array?.compactMap(\.string) == ["alerts", "runs"])
        #expect(first["params"]?["after"] == nil)
        #expect(try title(&state, ScriptedHub.subscribed(7)) == nil)
        #expect(state.position == 7)
        let snapshot = #"{"jsonrpc":"2.0","method":"frame","params":{"position":9,"type":"SNAPSHOT","data":{}}}"#
        #expect(try title(&state, snapshot) == nil)
        #expect(state.position == 9)
        #expect(try title(&state, ScriptedHub.notice(12, "one")) == "one")
        #expect(position(asked: try request(&state)) == 12)
    }

    @Test("with a position of its own it asks behind it, and the hub's answer does not move it")
    func ownPosition() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: 3)
        #expect(position(asked: try request(&state)) == 3)
        #expect(try title(&state, ScriptedHub.subscribed(90)) == nil)
        #expect(state.position == 3)
    }

    @Test("a frame that was handled is not handled again, and one that was not is asked for again")
    func once() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: 0)
        #expect(try title(&state, ScriptedHub.notice(4, "one")) == "one")
        #expect(try title(&state, ScriptedHub.notice(4, "one")) == nil)
        // Read, but its program was cut.
        _ = try state.received(Array(ScriptedHub.notice(5).utf8))
        #expect(position(asked: try request(&state)) == 4)
    }

    @Test("a hub whose log is behind ours says so with a GAP and a smaller position, which counts")
    func restored() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: 900)
        let gap = #"{"jsonrpc":"2.0","method":"frame","params":{"type":"GAP","data":{"from":1,"to":900}}}"#
        guard case .gap = try state.received(Array(gap.utf8)) else { throw Timeout(what: "the gap") }
        let snapshot = #"{"jsonrpc":"2.0","method":"frame","params":{"position":9,"type":"SNAPSHOT","data":{}}}"#
        _ = try state.received(Array(snapshot.utf8))
        #expect(try title(&state, ScriptedHub.notice(10, "new")) == "new")
    }

    @Test("frames that are gone are told of once, also if the connection is lost before another one comes")
    func gapOnce() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: 3)
        let gap =
            #"{"jsonrpc":"2.0","method":"frame","params":{"position":9,"type":"GAP","data":{"from":3,"to":9}}}"#
        guard case .gap = try state.received(Array(gap.utf8)) else { throw Timeout(what: "the gap") }
        #expect(position(asked: try request(&state)) == 9)
    }

    @Test(
        "what it does not know is passed over",
        arguments: [
            "", "[]", "not JSON", "{\"jsonrpc\":\"2.0\",\"method\":\"later\"}",
            "{\"id\":77,\"result\":{\"position\":5}}",
            "{\"jsonrpc\":\"2.0\",\"method\":\"frame\"}", "\u{0}",
        ])
    func unknown(text: String) throws {
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        _ = try state.received(Array(text.utf8))
        #expect(state.position == nil)
    }

    @Test(
        "a refused subscription ends it, with the exit code of the reason",
        arguments: [
            (#"{"code":-32602,"message":"no such topic"}"#, Failure.Code.usage),
            (
                #"{"code":-32000,"message":"no","data":{"status":403,"detail":"not yours","code":"forbidden"}}"#,
                .refused
            ),
            (#"{"code":-32601,"message":"no such method"}"#, .serverError),
        ])
    func refusedSubscription(error: String, code: Failure.Code) throws {
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        let failure = #expect(throws: Failure.self) {
            try state.received(Array(#"{"jsonrpc":"2.0","id":1,"error":\#(error)}"#.utf8))
        }
        #expect(failure?.code == code)
    }

    @Test("a hub that cannot take a subscription now is asked again")
    func unavailable() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        let answer =
            #"{"id":1,"error":{"code":-32000,"data":{"status":503,"detail":"stopping","code":"shutting_down"}}}"#
        guard case .unavailable(let words) = try state.received(Array(answer.utf8)) else {
            throw Timeout(what: "to be told to wait")
        }
        #expect(words.contains("stopping"))
    }

    @Test("a first connection that fails ends it, unless it is told to wait; a later one is waited for")
    func firstConnection() throws {
        let loss = ListenStateMachine.Loss.unreachable("nothing listens")
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        #expect(throws: Failure.self) { try state.lost(loss, random: 1) }
        var patient = ListenStateMachine(topics: ["alerts"], position: nil, isPatient: true)
        #expect(try patient.lost(loss, random: 1).line == "nothing listens; trying again")
        var known = ListenStateMachine(topics: ["alerts"], position: nil)
        _ = known.opened()
        #expect(try known.lost(loss, random: 1).pause > .zero)
    }

    @Test("a hub that stops is asked again when it has said, once")
    func askedPause() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: 1)
        _ = state.opened()
        func closing(_ data: String) -> [UInt8] {
            Array(#"{"method":"frame","params":{"position":1,"type":"CLOSING","data":\#(data)}}"#.utf8)
        }
        _ = try state.received(closing(#"{"reason":"server_shutdown","retry_ms":4321}"#))
        let loss = ListenStateMachine.Loss.closed("the hub stops or restarts", lifetime: .seconds(60))
        #expect(try state.lost(loss, random: 0).pause == .milliseconds(4321))
        #expect(try state.lost(.unreachable("gone"), random: 0).pause < .seconds(1))
        // Whatever stands there, it is no reason to stay away for ever.
        for (data, pause) in [
            (#"{"retry_ms":99999999}"#, Duration.seconds(60)), (#"{"retry_ms":-1}"#, .milliseconds(125)),
        ] {
            var state = ListenStateMachine(topics: ["alerts"], position: 1)
            _ = state.opened()
            _ = try state.received(closing(data))
            #expect(try state.lost(loss, random: 0).pause == pause)
        }
    }

    @Test("a refused token ends it at any time; a proxy's 502 does not")
    func refusedToken() throws {
        for status in [401, 403] {
            var state = ListenStateMachine(topics: ["alerts"], position: nil, isPatient: true)
            _ = state.opened()
            #expect(throws: Failure.self) {
                try state.lost(.refused(Failure(.refused, "revoked"), status: status), random: 1)
            }
        }
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        _ = state.opened()
        #expect(try state.lost(.refused(Failure(.serverError, "bad gateway"), status: 502), random: 0).pause > .zero)
    }

    @Test("a person hears once that the hub is gone, and once that it is back")
    func calm() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        #expect(state.opened().line == nil)
        let closed = ListenStateMachine.Loss.closed(CloseCode.words(1001, reason: ""), lifetime: .seconds(60))
        #expect(try state.lost(closed, random: 0).line == "the hub stops or restarts; trying again")
        #expect(try state.lost(.unreachable("nothing listens"), random: 0).line == nil)
        #expect(state.opened().line == "back")
        #expect(state.opened().line == nil)
    }

    @Test("pauses double to a bound, half of each is random, and a good connection begins anew")
    func pauses() throws {
        var state = ListenStateMachine(topics: ["alerts"], position: nil)
        _ = state.opened()
        func pause(_ lifetime: Duration, _ random: Double) throws -> Duration {
            try state.lost(.closed("cut", lifetime: lifetime), random: random).pause
        }
        #expect(try pause(.zero, 1) == Limits.clientPauseFirst)
        #expect(try pause(.zero, 0) == Limits.clientPauseFirst)
        #expect(try pause(.zero, 0.5) == Limits.clientPauseFirst * 3)
        for _ in 0..<20 { _ = try pause(.zero, 1) }
        #expect(try pause(.zero, 1) == Limits.clientPauseMax)
        #expect(try pause(.zero, 0) == Limits.clientPauseMax / 2)
        #expect(try pause(Limits.clientGoodConnection, 1) == Limits.clientPauseFirst)
    }
}

struct LivenessTests {
    private let start = ContinuousClock.now

    @Test("a quiet connection is asked, and given up when it does not answer")
    func silence() {
        var liveness = Liveness(at: start)
        #expect(liveness.look(at: start + .seconds(14)) == .fine)
        #expect(liveness.look(at: start + .seconds(15)) == .ping)
        #expect(liveness.look(at: start + .seconds(16)) == .fine)
        #expect(liveness.look(at: start + .seconds(30)) == .ping)
        #expect(liveness.look(at: start + .seconds(45)) == .dead)
    }

    @Test("one that answers lives")
    func answers() {
        var liveness = Liveness(at: start)
        for second in stride(from: 15, to: 600, by: 15) {
            #expect(liveness.look(at: start + .seconds(second)) == .ping)
            liveness.heard(at: start + .seconds(second))
        }
    }
}
