import BelfryCore
import Testing

@testable import BelfryEngine

@Suite struct RunStateMachineTests {
    typealias Machine = RunStateMachine

    @Test("steps come one after the other, and the run succeeds behind the last")
    func oneByOne() {
        var machine = Machine(stages: [0, 1])
        #expect(machine.begin() == [.consider(step: 0)])
        machine.began(0)
        #expect(machine.ended(0, .over) == [.consider(step: 1)])
        machine.began(1)
        #expect(machine.ended(1, .over) == [.end(.succeeded, .completed)])
        #expect(machine.end == .succeeded)
    }

    @Test("steps of one stage begin together, and the next stage waits for all of them")
    func sideBySide() {
        var machine = Machine(stages: [0, 0, 1])
        #expect(machine.begin() == [.consider(step: 0), .consider(step: 1)])
        machine.began(0)
        machine.began(1)
        #expect(machine.ended(1, .over) == [])
        #expect(machine.ended(0, .over) == [.consider(step: 2)])
    }

    @Test("where one of them fails the others are cut, and the run fails when they are gone")
    func failure() {
        var machine = Machine(stages: [0, 0, 0, 1])
        _ = machine.begin()
        machine.began(0)
        machine.began(1)
        machine.waits(2)
        #expect(machine.ended(0, .failed(.timeout)) == [.cut(step: 1), .abandon(step: 2)])
        #expect(machine.isEnding && machine.end == nil)
        #expect(machine.ended(1, .stopped) == [.end(.failed, .timeout)])
    }

    @Test("a run whose first steps are over goes on behind them; one without any left succeeds")
    func resumed() {
        var machine = Machine(stages: [0, 1, 2], phases: [.ended, .ended, .pending])
        #expect(machine.begin() == [.consider(step: 2)])
        var over = Machine(stages: [0], phases: [.ended])
        #expect(over.begin() == [.end(.succeeded, .completed)])
    }

    @Test("a run that only waits is told of nothing to begin until its step is over")
    func waiting() {
        var machine = Machine(stages: [0, 1], phases: [.waiting, .pending], hasBegun: true)
        #expect(machine.isWaiting && !machine.isAtWork)
        #expect(machine.ended(0, .over) == [.consider(step: 1)])
    }

    @Test("a step that tries again waits, and comes again when its time has come")
    func again() {
        var machine = Machine(stages: [0])
        _ = machine.begin()
        machine.began(0)
        machine.waits(0)
        #expect(machine.isWaiting)
        machine.resumed(0)
        machine.began(0)
        #expect(machine.ended(0, .over) == [.end(.succeeded, .completed)])
    }

    @Test(
        "a stop ends the run whatever the cut step came to",
        arguments: [Machine.StepEnd.stopped, .over, .failed(.error), .denied])
    func stop(end: Machine.StepEnd) {
        var machine = Machine(stages: [0, 1])
        _ = machine.begin()
        machine.began(0)
        #expect(machine.stop(.operator) { _ in true } == .actions([.cut(step: 0)]))
        #expect(machine.stop(.operator) { _ in true } == .rejected(reason: "already stopping"))
        #expect(machine.ended(0, end) == [.end(.stopped, .operator)])
        #expect(machine.stop(.operator) { _ in true } == .rejected(reason: "already stopped"))
    }

    @Test("the hub's stop lets a step with effects end; an operator's then cuts it")
    func finishing() {
        var machine = Machine(stages: [0, 1])
        _ = machine.begin()
        machine.began(0)
        #expect(machine.stop(.resolved) { _ in false } == .actions([]))
        #expect(machine.stop(.resolved) { _ in false } == .rejected(reason: "already stopping"))
        #expect(machine.stop(.operator) { _ in true } == .actions([.cut(step: 0)]))
        #expect(machine.ended(0, .stopped) == [.end(.stopped, .operator)])
    }

    @Test("a run that has not begun, or waits, is stopped at once")
    func stopWithoutWork() {
        var queued = Machine(stages: [0])
        #expect(queued.stop(.operator) { _ in true } == .actions([.end(.stopped, .operator)]))
        var waiting = Machine(stages: [0, 0], phases: [.waiting, .waiting], hasBegun: true)
        let both: [Machine.Action] = [.abandon(step: 0), .abandon(step: 1), .end(.stopped, .operator)]
        #expect(waiting.stop(.operator) { _ in true } == .actions(both))
    }

    @Test("a denied question ends the run as denied")
    func denied() {
        var machine = Machine(stages: [0, 1], phases: [.waiting, .pending], hasBegun: true)
        #expect(machine.ended(0, .denied) == [.end(.stopped, .denied)])
    }

    @Test("a skip cuts a running step, and changes nothing of one that is over or being cut")
    func skip() {
        var machine = Machine(stages: [0, 1, 2])
        _ = machine.begin()
        machine.began(0)
        #expect(machine.skip(0) == .actions([.cut(step: 0)]))
        #expect(machine.cut(of: 0) == .skip)
        #expect(machine.skip(0) == .rejected(reason: "already being cut"))
        #expect(machine.skip(2) == .actions([]))
        #expect(machine.ended(2, .over) == [])
        #expect(machine.ended(0, .over) == [.consider(step: 1)])
        machine.began(1)
        #expect(machine.ended(1, .over) == [.end(.succeeded, .completed)])
        #expect(machine.skip(1) == .rejected(reason: "already succeeded"))
    }

    @Test("a restarted step comes again; a stop meanwhile wins")
    func restart() {
        var machine = Machine(stages: [0])
        _ = machine.begin()
        machine.began(0)
        #expect(machine.restart(0) == .actions([.cut(step: 0)]))
        #expect(machine.restarted(0) == [.consider(step: 0)])
        machine.began(0)
        _ = machine.restart(0)
        #expect(machine.stop(.operator) { _ in true } == .actions([]))
        #expect(machine.restarted(0) == [.end(.stopped, .operator)])
    }

    @Test(
        "whatever happens, each step begins in its stage's turn, and the run ends once, with nothing at work",
        arguments: 1...300)
    func anything(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var stages: [Int] = []
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            stages.append((stages.last ?? 0) + (stages.isEmpty ? 0 : Int.random(in: 0...1, using: &random)))
        }
        var machine = Machine(stages: stages)
        var ends = 0
        var waiting: Set<Int> = []
        var atWork: Set<Int> = []
        func take(_ actions: [Machine.Action]) {
            var rest = actions[...]
            while let action = rest.popFirst() {
                switch action {
                case .consider(let step):
                    #expect(ends == 0 && !machine.isEnding)
                    #expect(stages.indices.allSatisfy { stages[$0] >= stages[step] || machine.phases[$0].isOver })
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: rest += machine.ended(step, .over)
                    case 1:
                        machine.waits(step)
                        waiting.insert(step)
                    default:
                        machine.began(step)
                        atWork.insert(step)
                    }
                case .cut(let step): #expect(atWork.contains(step))
                case .abandon(let step): #expect(waiting.remove(step) != nil)
                case .end:
                    ends += 1
                    #expect(atWork.isEmpty && waiting.isEmpty)
                }
            }
        }
        take(machine.begin())
        for _ in 0..<200 where ends == 0 {
            let operations = Int.random(in: 0..<8, using: &random)
            switch operations {
            case 0: if case .actions(let actions) = machine.stop(.operator, cuts: { _ in true }) { take(actions) }
            case 1, 2, 3:
                guard let step = atWork.randomElement(using: &random) else { continue }
                atWork.remove(step)
                let ends: [Machine.StepEnd] = [.over, .over, .failed(.error), .stopped]
                if machine.cut(of: step) == .restart {
                    take(machine.restarted(step))
                } else {
                    take(machine.ended(step, ends.randomElement(using: &random) ?? .over))
                }
            case 4, 5:
                guard let step = waiting.randomElement(using: &random) else { continue }
                waiting.remove(step)
                if Bool.random(using: &random) {
                    take(machine.ended(step, [.over, .denied].randomElement(using: &random) ?? .over))
                } else {
                    machine.resumed(step)
                    take([.consider(step: step)])
                }
            case 6:
                guard let step = stages.indices.randomElement(using: &random) else { continue }
                guard case .actions(let actions) = machine.skip(step) else { continue }
                if actions.isEmpty {
                    waiting.remove(step)
                    take(machine.ended(step, .over))
                } else {
                    take(actions)
                }
            default:
                guard let step = atWork.randomElement(using: &random) else { continue }
                if case .actions(let actions) = machine.restart(step) { take(actions) }
            }
            #expect((ends == 1) == (machine.end != nil))
            #expect(ends > 0 || stages.isEmpty || machine.isAtWork || machine.isWaiting)
        }
        #expect(ends <= 1)
    }
}
