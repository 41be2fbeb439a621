import BelfryCore
import BelfrySources
import BelfryStore
import Logging
import Synchronization
import Testing

@testable import BelfryEngine

@Suite(.timeLimit(.minutes(3))) struct BacktestTests {
    private static let documents = """
        source: plant
        preset: none
        ---
        agent: parrot
        kind: echo
        ---
        \(draft(over: 90))
        """

    private static func draft(over celsius: Int, more: String = "") -> String {
        """
        rule: hot
        when: { source: [plant], data: { celsius: [{ numeric: [">", \(celsius)] }], site: [{ prefix: a }] } }
        limits: { runs_per_hour: 3 }
        \(more)
        run: { steps: [{ step: say, agent: nobody-yet, prompt: x }] }
        """
    }

    /// A window around now.
    private static func request(_ text: String) -> BacktestRequest {
        let now = WallClock.system.now()
        return BacktestRequest(rule: .text(text, path: "draft"), from: now - .seconds(600), to: now + .seconds(600))
    }

    private static func result(_ hub: Hub, _ request: BacktestRequest) async throws -> JSONObject {
        let id = try await hub.startBacktest(request)
        while true {
            let status = try hub.backtest(id)
            guard status["state"]?.string == "running" else { return status }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("a draft is told by matches, outcomes, groups, near misses and what the stored rule did; nothing starts")
    func result() async throws {
        let documents = Self.documents.replacing("nobody-yet", with: "parrot")
        try await TestHub.with(documents: documents) { test in
            for (celsius, site) in [(95, "a1"), (85, "a2"), (86, "a1"), (70, "a1"), (95, "b1"), (87, "a2"), (88, "a1")]
            {
                _ = try await test.post(#"{"celsius":\#(celsius),"site":"\#(site)"}"#, to: "plant")
            }
            let runs = try await test.hub.runs(state: nil, rule: nil, limit: 100, cursor: nil).items.count
            let text = Self.draft(over: 80, more: "group: { by: [data.site] }")
            let status = try await Self.result(test.hub, Self.request(text))
            #expect(status["state"]?.string == "done" && status["rule"]?.string == "hot", "\(status)")
            let result = try #require(status["result"])
            #expect(result["events"]?.number?.int64 == 7 && result["matches"]?.number?.int64 == 5)
            #expect(result["outcomes"] == ["started": 2, "joined": 3])
            #expect(result["runs"]?.number?.int64 == 2)
            #expect(result["by_type"]?["top"]?.array?.first?["events"]?.number?.int64 == 7)
            let groups = result["groups"]?["top"]?.array ?? []
            #expect(groups.map { $0["by"]?.array?.first?.string } == ["a1", "a2"])
            #expect(groups.map { $0["matches"]?.number?.int64 } == [3, 2])
            #expect(result["examples"]?.array?.count == 5)
            #expect(result["near_misses"]?["count"]?.number?.int64 == 2)
            #expect(
                result["near_misses"]?["by_clause"] == [
                    ["clause": #"data.celsius: numeric [">",80]"#, "events": 1],
                    ["clause": #"data.site: prefix "a""#, "events": 1],
                ])
            #expect(result["stored"]?["matches"]?.number?.int64 == 1 && result["stored"]?["both"]?.number?.int64 == 1)
            #expect(result["stored"]?["only_draft"]?["count"]?.number?.int64 == 4)
            #expect(result["stored"]?["runs"]?.number?.int64 == 1)
            #expect(try await test.hub.runs(state: nil, rule: nil, limit: 100, cursor: nil).items.count == runs)
            #expect(status["progress"]?["scanned"] == status["progress"]?["total"])
        }
    }

    @Test("limits hold as for deliveries; an empty window has nothing, and an unknown source is said to be none")
    func limits() async throws {
        try await TestHub.with(documents: Self.documents.replacing("nobody-yet", with: "parrot")) { test in
            for number in 0..<5 { _ = try await test.post(#"{"celsius":85,"site":"a\#(number)"}"#, to: "plant") }
            let request = Self.request(Self.draft(over: 80))
            let limited = try await Self.result(test.hub, request)
            #expect(limited["result"]?["outcomes"] == ["started": 3, "limited": 2])
            var other = request
            other.source = "mill"
            let error = await #expect(throws: BelfryError.self) { try await test.hub.startBacktest(other) }
            #expect(error?.code == .notFound && error?.message.hasPrefix("there is no source mill") == true)
            var empty = request
            empty.to = request.from + .seconds(1)
            #expect(try await Self.result(test.hub, empty)["result"]?["events"]?.number?.int64 == 0)
            empty.to = request.from
            await #expect(throws: BelfryError.self) { try await test.hub.startBacktest(empty) }
            await #expect(throws: BelfryError.self) {
                try await test.hub.startBacktest(Self.request("agent: x\nkind: echo\n"))
            }
        }
    }

    @Test("pages are read one by one: progress grows, and a cancel ends it behind a page")
    func pages() async throws {
        try await TestHub.with(documents: Self.documents.replacing("nobody-yet", with: "parrot")) { test in
            try await Self.fill(test.hub.store, deliveries: 5)
            let request = Self.request(Self.draft(over: 0))
            let rule = try test.hub.drafts(request.rule, only: nil)[0].definition
            let backtest = Backtest(rule: rule, request: request, store: test.hub.store)
            let seen = Mutex<[Backtest.Progress]>([])
            let result = try await backtest.run { progress in
                seen.withLock { $0.append(progress) }
                return true
            }
            #expect(result?["events"]?.number?.int64 == 5000)
            let scanned = seen.withLock { $0.map(\.scanned) }
            #expect(scanned.count > 2 && scanned == scanned.sorted() && scanned.last == 5000, "\(scanned)")
            #expect(try await backtest.run { $0.scanned == 0 } == nil)
        }
    }

    /// Stores a thousand events a delivery.
    private static func fill(_ store: Store, deliveries: Int) async throws {
        let now = WallClock.system.now()
        for delivery in 0..<deliveries {
            let items = (0..<1000).map { number in
                AcceptedDelivery.Item(
                    event: Event(
                        id: EventID(at: now), source: "plant", type: "webhook", time: now, received: now,
                        remote: "127.0.0.1",
                        data: RawJSON(["celsius": .int(delivery), "site": .string("a\(number)")])))
            }
            _ = try await store.accept(
                AcceptedDelivery(source: "plant", remote: "127.0.0.1", verifiedBy: nil, ruleSetVersion: 1, items: items)
            )
        }
    }

    @Test("two at a time; a cancelled one ends, a result is forgotten after its time, and nothing begins after the end")
    func jobs() async throws {
        let time = Mutex(WallClock.system.now())
        let clock = WallClock { time.withLock { $0 } }
        try await TestHub.with(documents: Self.documents.replacing("nobody-yet", with: "parrot")) { test in
            let request = Self.request(Self.draft(over: 0))
            let rule = try test.hub.drafts(request.rule, only: nil)[0].definition
            let jobs = Backtests(store: test.hub.store, clock: clock)
            let first = try jobs.start(rule, request)
            let second = try jobs.start(rule, request)
            let refused = #expect(throws: BelfryError.self) { try jobs.start(rule, request) }
            #expect(refused?.code == .tooManyRequests)
            try jobs.cancel(first)
            #expect(try jobs.status(first)["state"]?.string == "running")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await jobs.run() }
                for (id, state) in [(first, "cancelled"), (second, "done")] {
                    while try jobs.status(id)["state"]?.string == "running" {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                    #expect(try jobs.status(id)["state"]?.string == state)
                }
                let third = try jobs.start(rule, request)
                while try jobs.status(third)["state"]?.string == "running" {
                    try await Task.sleep(for: .milliseconds(5))
                }
                try jobs.cancel(third)
                #expect(throws: BelfryError.self) { try jobs.status(third) }
                time.withLock { $0 = $0 + Limits.backtestRetention }
                #expect(throws: BelfryError.self) { try jobs.status(second) }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(#expect(throws: BelfryError.self) { try jobs.start(rule, request) }?.code == .shuttingDown)
        }
    }

    @Test("more keys than are told apart are counted together")
    func bounded() {
        var counts = BoundedCounts<Int>(max: 3)
        for key in [1, 2, 2, 3, 4, 5] { counts.add(key, events: 1, matches: 1) }
        let json = counts.json { ["by": .int($0)] }
        #expect(json["count"]?.number?.int64 == 3 && json["is_exact"] == false)
        #expect(json["top"]?.array?.map { $0["by"]?.number?.int64 } == [2, 1, 3])
        #expect(json["others"]?["matches"]?.number?.int64 == 2)
    }
}
