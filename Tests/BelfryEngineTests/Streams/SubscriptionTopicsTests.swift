import BelfryCore
import BelfryEngine
import Testing

@Suite("topics of a subscription")
struct SubscriptionTopicsTests {
    private let run = RunID(at: Timestamp(milliseconds: 1), bits: (1, 1))

    private func frame(_ position: Int64, _ topic: Topic, run: RunID? = nil) -> Frame {
        let draft = DraftFrame(time: Timestamp(milliseconds: 0), topic: topic, run: run, type: .custom, data: .null)
        return Frame(position: position, draft: draft)
    }

    @Test("a topic that is added gets its history, and what others had already does not come again")
    func addsHistory() {
        var topics = SubscriptionTopics([.runs], after: 10)
        topics.add([.run(run)], after: 0, cursor: 20)
        #expect(topics.topics == [.runs, .run(run)])
        #expect(topics.wants(frame(5, .runs, run: run)))
        #expect(!topics.wants(frame(5, .runs)))
        #expect(!topics.wants(frame(15, .runs, run: run)))
        #expect(topics.wants(frame(15, .run(run), run: run)))
        #expect(topics.wants(frame(21, .runs)))
        #expect(topics.filterEnd == 20)
    }

    @Test("a topic that is there already begins no later, and earlier if it is asked to")
    func addsAgain() {
        var topics = SubscriptionTopics([.alerts], after: 10)
        topics.add([.alerts], after: 15, cursor: 20)
        #expect(topics.windowCount == 1)
        topics.add([.alerts], after: 5, cursor: 20)
        #expect(topics.topics == [.alerts])
        #expect(topics.wants(frame(7, .alerts)))
        #expect(!topics.wants(frame(11, .alerts)))
        #expect(topics.wants(frame(21, .alerts)))
    }

    @Test("what a removed topic has brought is remembered until the cursor is past it")
    func remembersRemoved() {
        var topics = SubscriptionTopics([.runs], after: 0)
        topics.add([.run(run)], after: 0, cursor: 20)
        topics.remove([.runs], cursor: 5)
        #expect(topics.topics == [.run(run)])
        #expect(!topics.wants(frame(10, .runs, run: run)))
        #expect(topics.wants(frame(10, .run(run), run: run)))
        #expect(!topics.wants(frame(21, .runs)))
        #expect(topics.windowCount == 2)
        topics.remove([.rules], cursor: 20)
        #expect(topics.windowCount == 1)
    }

    @Test("a topic that was taken away and comes again is sent again, also while its history is under way")
    func comesAgain() {
        var topics = SubscriptionTopics([.alerts, .custom("c")], after: 0)
        topics.add([.rules], after: 0, cursor: 20)
        topics.remove([.alerts], cursor: 5)
        topics.add([.alerts], after: 0, cursor: 5)
        #expect(topics.wants(frame(10, .alerts)))
        #expect(!topics.wants(frame(10, .custom("c"))))
        #expect(topics.wants(frame(10, .rules)))
    }

    @Test("a hole is told once, of the topics that have it, and not to who wants all that is kept")
    func holes() {
        var topics = SubscriptionTopics([.alerts, .custom("c"), .runs], after: 10)
        let floors: [Topic: Int64] = [.alerts: 15, .custom("c"): 30, .rules: 90]
        #expect(
            topics.holes(floors, cursor: 10) == .init(topics: [.alerts, .custom("c")], from: 10, through: 30))
        #expect(topics.holes(floors, cursor: 12) == nil)
        #expect(
            topics.holes([.alerts: 20, .custom("c"): 30], cursor: 16)
                == .init(topics: [.alerts], from: 16, through: 20))
        var all = SubscriptionTopics([.alerts], after: 0)
        #expect(all.holes([.alerts: 40], cursor: 0) == nil)
        #expect(all.holes([.alerts: 40], cursor: 7) == nil)
        #expect(all.holes([.alerts: 50], cursor: 45) == .init(topics: [.alerts], from: 45, through: 50))
    }

    @Test("what a topic has delivered already is no hole of it, though others begin before")
    func holesOfHistory() {
        var topics = SubscriptionTopics([.alerts], after: 0)
        topics.add([.rules], after: 5, cursor: 40)
        #expect(topics.historyEnd == 40)
        #expect(topics.holes([.alerts: 30, .rules: 8], cursor: 5) == .init(topics: [.rules], from: 5, through: 8))
    }

    @Test("without topics nothing is wanted")
    func wantsNothing() {
        var topics = SubscriptionTopics([], after: 3)
        #expect(topics.isEmpty)
        topics.add([.alerts], after: 3, cursor: 3)
        topics.remove([.alerts], cursor: 3)
        #expect(topics.isEmpty)
        #expect(topics.windowCount == 0)
        #expect(!topics.wants(frame(4, .alerts)))
    }
}
