import BelfryCore
import NIOCore
import Testing

@testable import BelfryServer

@Suite("connection state machine")
struct ConnectionStateMachineTests {
    private let start = NIODeadline.uptimeNanoseconds(0)

    private func machine() -> ConnectionStateMachine {
        ConnectionStateMachine(
            now: start, idleTimeout: .seconds(60), readTimeout: .seconds(15), lingerTimeout: .seconds(2)
        )
    }

    private func isClose(_ action: ConnectionStateMachine.Action) -> Bool {
        if case .close = action { true } else { false }
    }

    private func refusal(_ action: ConnectionStateMachine.Action) -> BelfryError.Code? {
        if case .refuse(let error) = action { error.code } else { nil }
    }

    @Test("the deadline of a request counts from its first byte and no byte moves it")
    func oneDeadline() {
        var machine = machine()
        machine.bytesArrived(now: start + .seconds(40))
        _ = machine.head(.init(contentLength: 10, bodyLimit: .init(bytes: 100)), now: start + .seconds(50))
        _ = machine.body(bytes: 1)
        #expect(machine.deadline == start + .seconds(55))
        #expect(refusal(machine.tick(now: start + .seconds(54))) == nil)
        #expect(refusal(machine.tick(now: start + .seconds(55))) == .requestTimeout)
    }

    @Test("an idle connection is closed without a word")
    func idle() {
        var machine = machine()
        #expect(!isClose(machine.tick(now: start + .seconds(59))))
        #expect(isClose(machine.tick(now: start + .seconds(60))))
    }

    @Test("while an answer is made there is no deadline")
    func responding() {
        var machine = machine()
        _ = machine.head(.init(bodyLimit: .init(bytes: 100)), now: start)
        _ = machine.end()
        #expect(machine.deadline == nil)
        machine.responded(keepsAlive: true, now: start + .seconds(100))
        #expect(machine.phase == .idle)
        #expect(machine.deadline == start + .seconds(160))
    }

    @Test("what comes after the last answer is dropped, within bounds")
    func lingering() {
        var machine = machine()
        _ = machine.head(.init(bodyLimit: .init(bytes: 100)), now: start)
        _ = machine.end()
        machine.responded(keepsAlive: false, now: start)
        machine.sent(now: start)
        #expect(!isClose(machine.body(bytes: Limits.lingerBytesMax)))
        #expect(isClose(machine.body(bytes: 1)))
        #expect(isClose(machine.tick(now: start + .seconds(2))))
    }

    @Test("the linger deadline begins when the last answer is sent, and half a close before that cuts nothing")
    func lingersBehindTheAnswer() {
        var machine = machine()
        _ = machine.head(.init(bodyLimit: .init(bytes: 100)), now: start)
        _ = machine.end()
        machine.responded(keepsAlive: false, now: start)
        #expect(machine.deadline == start + .seconds(60))
        #expect(!isClose(machine.inputClosed()))
        machine.sent(now: start + .seconds(40))
        #expect(machine.deadline == start + .seconds(42))
        #expect(isClose(machine.inputClosed()))
        #expect(isClose(machine.tick(now: start + .seconds(42))))
    }

    @Test("a client may take its time with an answer while it reads on", arguments: [true, false])
    func slowReader(keepsAlive: Bool) {
        var machine = machine()
        _ = machine.head(.init(bodyLimit: .init(bytes: 100)), now: start)
        _ = machine.end()
        machine.responded(keepsAlive: keepsAlive, now: start)
        #expect(!isClose(machine.tick(now: start + .seconds(60), unsentBytes: 1000)))
        #expect(!isClose(machine.tick(now: start + .seconds(120), unsentBytes: 999)))
        #expect(machine.deadline == start + .seconds(180))
        #expect(isClose(machine.tick(now: start + .seconds(180), unsentBytes: 999)))
    }

    @Test("a server that stops closes the idle and lets the others finish, as their last answer")
    func quiesce() {
        var idle = machine()
        #expect(isClose(idle.quiesce()))
        var busy = machine()
        _ = busy.head(.init(bodyLimit: .init(bytes: 100)), now: start)
        #expect(!isClose(busy.quiesce()))
        _ = busy.end()
        busy.responded(keepsAlive: true, now: start)
        #expect(busy.phase == .lingering(bytesLeft: Limits.lingerBytesMax))
    }

    @Test("100-continue is sent only if a body will come and is not too large")
    func continues() {
        func action(length: Int?, expectation: String = "100-continue") -> ConnectionStateMachine.Action {
            var machine = machine()
            return machine.head(
                .init(contentLength: length, bodyLimit: .init(bytes: 100), expectation: expectation), now: start)
        }
        if case .sendContinue = action(length: 100) {} else { Issue.record("a body that fits is welcome") }
        if case .none = action(length: nil) {} else { Issue.record("without a body there is nothing to wait for") }
        #expect(refusal(action(length: 101)) == .payloadTooLarge)
        #expect(refusal(action(length: 1, expectation: "tea")) == .expectationFailed)
    }
}
