import BelfryCore
import BelfryEngine
import Testing

@Suite("topic index")
struct TopicIndexTests {
    private let run = RunID(at: Timestamp(milliseconds: 5), bits: (1, 1))

    private func draft(_ topic: Topic, run: RunID? = nil, rule: String? = nil) -> DraftFrame {
        DraftFrame(time: Timestamp(milliseconds: 0), topic: topic, run: run, rule: rule, type: .custom, data: .null)
    }

    private func reached(_ index: inout TopicIndex<String>, by frame: DraftFrame) -> [String] {
        var names: [String] = []
        index.forEachSubscriber(of: frame) { names.append($0) }
        return names.sorted()
    }

    @Test("a subscriber with several fitting topics is reached once")
    func reachedOnce() {
        var index = TopicIndex<String>()
        _ = index.insert("a", topics: [.run(run), .everyRun, .runs, .rule("r"), .runs])
        #expect(reached(&index, by: draft(.runs, run: run, rule: "r")) == ["a"])
        #expect(reached(&index, by: draft(.runs, run: run, rule: "r")) == ["a"])
    }

    @Test("only those whose topics cover the frame are reached")
    func reachesItsOwn() {
        var index = TopicIndex<String>()
        _ = index.insert("run", topics: [.run(run)])
        _ = index.insert("every", topics: [.everyRun])
        _ = index.insert("runs", topics: [.runs])
        _ = index.insert("rule", topics: [.rule("r")])
        _ = index.insert("custom", topics: [.custom("c")])
        #expect(reached(&index, by: draft(.run(run), run: run)) == ["every", "run"])
        #expect(reached(&index, by: draft(.runs, run: run, rule: "r")) == ["every", "rule", "run", "runs"])
        #expect(reached(&index, by: draft(.runs, run: run, rule: "other")) == ["every", "run", "runs"])
        #expect(reached(&index, by: draft(.custom("c"))) == ["custom"])
        #expect(reached(&index, by: draft(.custom("d"))) == [])
    }

    @Test("who is removed or passed over is not reached and the others are, whatever the order")
    func removal() {
        var random = SeededGenerator(state: 7)
        var index = TopicIndex<String>()
        var members: [(slot: TopicIndex<String>.Slot, name: String, topics: [Topic], isPassedOver: Bool)] = []
        let all: [Topic] = [.runs, .alerts, .rules, .approvals, .custom("c")]
        for round in 0..<600 {
            if members.isEmpty || Bool.random(using: &random) {
                let topics = (0..<3).compactMap { _ in all.randomElement(using: &random) }
                members.append((index.insert("\(round)", topics: topics), "\(round)", topics, false))
            } else {
                let gone = members.remove(at: Int.random(in: 0..<members.count, using: &random))
                index.remove(gone.slot)
                index.remove(gone.slot)
            }
            if let one = members.indices.randomElement(using: &random) {
                members[one].isPassedOver = Bool.random(using: &random)
                index.setPassedOver(members[one].slot, members[one].isPassedOver)
            }
            let topic = all.randomElement(using: &random) ?? .runs
            let expected = members.filter { $0.topics.contains(topic) && !$0.isPassedOver }.map(\.name).sorted()
            #expect(reached(&index, by: draft(topic)) == expected)
            #expect(index.count == members.count)
        }
    }
}
