import BelfryCore
import BelfryHTTP
import Logging
import Synchronization
import Testing

@testable import BelfryAgents

@Suite(.timeLimit(.minutes(3)))
struct EchoAgentTests {
    @Test(
        "the pieces joined are the text, byte by byte",
        arguments: [
            "", " ", "one", "one two  three\n\nfour ", "  leading", "\t\n",
            "e\u{301} \u{301}x 👨‍👩‍👧 🇩🇪 ß",
            "a\r\nb\r\n",
            "x\u{0}y z",
        ])
    func exact(text: String) async throws {
        let clock = StepClock()
        let outputs = try await collect(EchoAgent(wordsPerSecond: 25, outputBytesMax: 1000, clock: clock), prompt: text)
        #expect(outputs.text.hasSameBytes(as: text))
        #expect(outputs.items.allSatisfy { if case .text(let piece) = $0 { !piece.isEmpty } else { false } })
    }

    @Test("words come at the rate, the first at once")
    func paced() async throws {
        let clock = StepClock()
        let agent = EchoAgent(wordsPerSecond: 4, outputBytesMax: 1000, clock: clock)
        let outputs = try await collect(agent, prompt: "a b c d e")
        #expect(outputs.items == ["a ", "b ", "c ", "d ", "e"].map { .text($0) })
        #expect(clock.slept == Array(repeating: .milliseconds(250), count: 4))
    }

    @Test("at a rate beyond the clock's words go together", arguments: [5000.0, .infinity, -1, 0, .nan, 1e300])
    func fast(rate: Double) async throws {
        let clock = StepClock()
        let text = String(repeating: "w ", count: 100)
        #expect(
            try await collect(EchoAgent(wordsPerSecond: rate, outputBytesMax: 1000, clock: clock), prompt: text).text
                == text)
        #expect(clock.slept.count <= 100)
    }

    @Test("a cancelled echo stops, and one that is too long does not begin")
    func stops() async throws {
        let agent = EchoAgent(wordsPerSecond: 0.001, outputBytesMax: 10, clock: ContinuousClock())
        let task = Task { try await collect(agent, prompt: "a b") }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        let error = await #expect(throws: BelfryError.self) { _ = try await task.value }
        #expect(error?.code == .cancelled)
        let tooLong = await #expect(throws: BelfryError.self) { _ = try await collect(agent, prompt: "0123456789x") }
        #expect(tooLong?.code == .outputTooLarge)
    }

    @Test("what the taker of the output throws comes back")
    func takerThrows() async {
        let agent = EchoAgent(wordsPerSecond: 100, outputBytesMax: 10, clock: StepClock())
        let error = await #expect(throws: BelfryError.self) {
            try await agent.run(.test(prompt: "a b")) { _ in throw BelfryError(.storageFull, "full") }
        }
        #expect(error?.code == .storageFull)
    }
}

// MARK: - Shared by the tests of this target

struct Collected: Sendable {
    var items: [AgentOutput] = []
    var text: String { items.map { if case .text(let text) = $0 { text } else { "" } }.joined() }
    var usage: Usage? { items.compactMap { if case .usage(let usage) = $0 { usage } else { nil } }.last }
    var logs: [String] { items.compactMap { if case .log(let line) = $0 { line } else { nil } } }
}

func collect(_ agent: any Agent, prompt: String = "hi", timeout: Duration? = nil) async throws -> Collected {
    var collected = Collected()
    try await agent.run(.test(prompt: prompt, timeout: timeout)) { collected.items.append($0) }
    return collected
}

extension AgentRequest {
    static func test(prompt: String, timeout: Duration? = nil) -> AgentRequest {
        AgentRequest(run: RunID(at: Timestamp(seconds: 0)), step: "diagnose", prompt: prompt, timeout: timeout)
    }
}

/// A clock whose sleeps take no time and are written down.
final class StepClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let state = Mutex((now: Instant(), slept: [Duration]()))
    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }
    var slept: [Duration] { state.withLock { $0.slept } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.slept.append(state.now.duration(to: deadline))
            state.now = max(state.now, deadline)
        }
    }
}
