import BelfryCore
import BelfryEngine
import Testing

@Suite("subscription state machine")
struct SubscriptionStateMachineTests {
    /// The promise of a subscription (no gap, no duplicate, in order), against the plainest oracle there is.
    @Test(
        "whatever happens, a subscriber gets exactly the filter of the log", .timeLimit(.minutes(3)),
        arguments: 0..<60 as Range<UInt64>)
    func deliversExactlyTheFilterOfTheLog(seed: UInt64) {
        var simulation = StreamSimulation(seed: seed)
        for _ in 0..<400 { simulation.step() }
        simulation.settle()
        #expect(!simulation.subscribers.isEmpty)
        for subscriber in simulation.subscribers {
            let expected = simulation.log.filter(subscriber.wished).map(\.position)
            // Topics that are added go back; nothing else does.
            let hasOneStart = Set(subscriber.wishes.map(\.after)).count == 1
            let isExact = (hasOneStart ? subscriber.received : subscriber.received.sorted()) == expected
            #expect(isExact, "wishes \(subscriber.wishes)")
            #expect(subscriber.machine.isLive)
        }
    }

    @Test("who starts at the head is live at once")
    func startsLive() {
        var machine = SubscriptionStateMachine(after: 10)
        #expect(machine.advance(head: 10, isWritable: true) == .none)
        #expect(machine.batch(after: 10, isWritable: true) == .deliver(after: 10))
    }

    @Test("who starts ahead of the shard gets nothing twice")
    func startsAhead() {
        var machine = SubscriptionStateMachine(after: 12)
        #expect(machine.advance(head: 10, isWritable: true) == .none)
        #expect(machine.batch(after: 10, isWritable: true) == .deliver(after: 12))
    }

    @Test("an unwritable subscriber is not pushed to and catches up from where it stood")
    func catchesUp() {
        var machine = SubscriptionStateMachine(after: 10)
        _ = machine.advance(head: 10, isWritable: true)
        #expect(machine.batch(after: 10, isWritable: false) == .none)
        #expect(machine.isLagging)
        #expect(machine.batch(after: 15, isWritable: true) == .none)
        #expect(machine.advance(head: 20, isWritable: true) == .read(after: 10))
        #expect(machine.advance(head: 20, isWritable: true) == .none)
        #expect(machine.page(through: 18) == .deliver(after: 10))
        #expect(machine.advance(head: 20, isWritable: true) == .read(after: 18))
        #expect(machine.page(through: 20) == .deliver(after: 18))
        #expect(machine.advance(head: 20, isWritable: true) == .none)
        #expect(machine.isLive)
    }

    @Test("who takes nothing for the stall timeout is closed, who takes a little is not")
    func closesStalled() {
        var machine = SubscriptionStateMachine(after: 0)
        _ = machine.advance(head: 0, isWritable: true)
        _ = machine.batch(after: 0, isWritable: false)
        #expect(machine.tick(untakenBytes: 500, now: .seconds(0)) == .none)
        #expect(machine.tick(untakenBytes: 500, now: .seconds(29)) == .none)
        #expect(machine.tick(untakenBytes: 400, now: .seconds(30)) == .none)
        #expect(machine.tick(untakenBytes: 400, now: .seconds(59)) == .none)
        #expect(machine.tick(untakenBytes: 400, now: .seconds(60)) == .close(.stalled))
        #expect(machine.state == .closed(.stalled))
        #expect(machine.batch(after: 5, isWritable: true) == .none)
        #expect(machine.advance(head: 5, isWritable: true) == .none)
        #expect(machine.close(.clientClosed) == .none)
    }

    @Test("becoming writable in between starts the stall clock anew")
    func writabilityIsProgress() {
        var machine = SubscriptionStateMachine(after: 0)
        _ = machine.advance(head: 0, isWritable: true)
        #expect(machine.tick(untakenBytes: 500, now: .seconds(0)) == .none)
        _ = machine.advance(head: 0, isWritable: true)
        #expect(machine.tick(untakenBytes: 500, now: .seconds(40)) == .none)
        #expect(machine.tick(untakenBytes: 500, now: .seconds(70)) == .close(.stalled))
    }

    @Test("the stream of an ended run closes when everything was delivered")
    func closesAtTheEnd() {
        var machine = SubscriptionStateMachine(after: 3, end: 20)
        #expect(machine.advance(head: 25, isWritable: true) == .read(after: 3))
        #expect(machine.page(through: 12) == .deliver(after: 3))
        #expect(machine.advance(head: 25, isWritable: true) == .read(after: 12))
        #expect(machine.page(through: 20) == .deliver(after: 12))
        #expect(machine.advance(head: 25, isWritable: true) == .close(.runEnded))
    }

    @Test("a run that ends while it is watched closes the stream after its batch")
    func closesAfterTheLastBatch() {
        var machine = SubscriptionStateMachine(after: 3)
        _ = machine.advance(head: 3, isWritable: true)
        #expect(machine.batch(after: 3, isWritable: true) == .deliver(after: 3))
        machine.runEnded(head: 9)
        #expect(machine.advance(head: 9, isWritable: true) == .close(.runEnded))
    }
}
