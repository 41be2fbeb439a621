import BelfryCore
import Testing

@testable import BelfryEngine

@Suite struct RunStateMachineTests {
    @Test("steps follow each other, and the last one ends the run")
    func stepsInOrder() {
        var machine = RunStateMachine(stepCount: 2)
        #expect(machine.begin() == .perform(step: 0))
        #expect(machine.stepEnded(.succeeded) == .perform(step: 1))
        #expect(machine.stepEnded(.succeeded) == .end(.succeeded, .completed))
        #expect(machine.state == .ended(.succeeded))
    }

    @Test("a step that fails ends the run with its reason")
    func failure() {
        var machine = RunStateMachine(stepCount: 2)
        _ = machine.begin()
        #expect(machine.stepEnded(.failed(.timeout)) == .end(.failed, .timeout))
        #expect(machine.stepEnded(.succeeded) == .ignore)
    }

    @Test("a run that goes on after a restart begins with its first unfinished step")
    func resumption() {
        var machine = RunStateMachine(stepCount: 3, firstStep: 2)
        #expect(machine.begin() == .perform(step: 2))
        #expect(machine.stepEnded(.succeeded) == .end(.succeeded, .completed))
    }

    @Test("a run whose steps had all ended before the restart ends at once")
    func resumptionAtTheEnd() {
        var machine = RunStateMachine(stepCount: 1, firstStep: 1)
        #expect(machine.begin() == .end(.succeeded, .completed))
    }

    @Test(
        "a stop cuts the step, and the run ends when the step is gone",
        arguments: [
            RunStateMachine.StepEnd.stopped, .succeeded, .failed(.error),
        ])
    func stop(end: RunStateMachine.StepEnd) {
        var machine = RunStateMachine(stepCount: 2)
        _ = machine.begin()
        #expect(machine.stop() == .cut(step: 0))
        #expect(machine.stop() == .reject(reason: "already stopping"))
        #expect(machine.stepEnded(end) == .end(.stopped, .operator))
        #expect(machine.stop() == .reject(reason: "already stopped"))
    }

    @Test("whatever happens in whatever order, a run ends once and nothing runs after its end")
    func randomWalks() {
        var generator = SplitMix(seed: 7)
        for _ in 0..<2000 {
            var machine = RunStateMachine(stepCount: Int.random(in: 0...4, using: &generator))
            var ends = 0
            var performing = 0
            func note(_ action: RunStateMachine.Action) {
                if case .end = action { ends += 1 }
                if case .perform = action {
                    performing += 1
                    #expect(ends == 0)
                }
            }
            note(machine.begin())
            for _ in 0..<12 {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: note(machine.stop())
                case 1: note(machine.stepEnded(.failed(.error)))
                default: note(machine.stepEnded(.succeeded))
                }
            }
            #expect(ends == 1)
            #expect(performing <= 4)
        }
    }

    @Test("the hub's own stop lets a step that must not be cut come to its end; an operator's cuts it all the same")
    func finishing() {
        var machine = RunStateMachine(stepCount: 3)
        #expect(machine.begin() == .perform(step: 0))
        #expect(machine.stop(.resolved, cutsStep: false) == .ignore)
        #expect(machine.stop(.replaced, cutsStep: false) == .ignore, "the first reason stays")
        #expect(!machine.isCutting && machine.stepEnded(.succeeded) == .end(.stopped, .resolved))
        machine = RunStateMachine(stepCount: 3)
        _ = machine.begin()
        _ = machine.stop(.resolved, cutsStep: false)
        #expect(machine.stop() == .cut(step: 0) && machine.isCutting)
        #expect(machine.stepEnded(.stopped) == .end(.stopped, .operator))
        machine = RunStateMachine(stepCount: 3)
        _ = machine.begin()
        #expect(machine.stop(.resolved, cutsStep: true) == .cut(step: 0))
        #expect(machine.stepEnded(.stopped) == .end(.stopped, .resolved))
        machine = RunStateMachine(stepCount: 3)
        _ = machine.begin()
        #expect(machine.stopBeforeStep(.replaced) == .end(.stopped, .replaced))
    }
}

/// A small generator with a seed, so that a failing walk can be walked again (Steele, Lea, Flood, 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
