import BelfryCore
import BelfryStore
import Synchronization
import Testing

@testable import BelfryEngine

/// `send` steps of runs: what goes out, and what the run makes of the answer.
@Suite(.timeLimit(.minutes(3))) struct SendStepTests {
    private static func documents(steps: String, rest: String = "") -> String {
        """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        rule: tell
        when: { source: [lab], type: [reading] }
        \(rest)
        run:
          params: { tone: { enum: [terse, full], default: terse } }
          steps:
        \(steps)
        """
        .replacing("source: lab\npreset: none", with: "source: lab\npreset: none\ntype: body.type")
    }

    private static let report = documents(
        steps: """
                - step: report
                  send: { to: ledger, type: "pump.{{data.sensor}}", body: { celsius: "{{data.celsius}}", tone: "{{params.tone}}" } }
                  default: nobody was told
                - { step: after, agent: parrot, prompt: "said: {{steps.report.output}}" }
            """)

    private static let body = #"{"type":"reading","sensor":"p7","celsius":96.5}"#
    private let anna = Principal(token: nil, name: "anna", role: .operator)

    private static func targets(_ server: ScriptedServer) -> [String: SendTarget] {
        var target = SendTarget(.url(server.url))
        target.allowsPrivateAddresses = true
        return ["ledger": target]
    }

    /// A server that gives the answers in turn, the last to all that follow.
    private static func server(_ answers: (status: String, headers: String, body: String)...) -> ScriptedServer {
        let next = Counter()
        return ScriptedServer { connection in
            connection.readRequest()
            let answer = answers[min(next.take(), answers.count - 1)]
            connection.answer(answer.status, headers: answer.headers, body: answer.body)
        }
    }

    private static func header(_ name: String, of request: String) -> String? {
        request.split(separator: "\r\n").first { $0.lowercased().hasPrefix("\(name):") }.map {
            String($0.dropFirst(name.count + 1).drop { $0 == " " })
        }
    }

    private static func content(of request: String) throws -> JSONValue {
        try JSONValue(parsing: Array(request.split(separator: "\r\n\r\n", maxSplits: 1)[1].utf8))
    }

    /// Waits until the step waits for another attempt than `attempt`. - Returns: its row.
    private func waiting(_ test: TestHub, _ run: RunID, attempt: Int = 1) async throws -> StepRecord {
        _ = try await test.frames(of: run) { frame in
            let data = frame.draft.data.value
            return frame.draft.type == .stepState && data["attempt"]?.number?.int64 == Int64(attempt)
                && data["state"] == "waiting" && data["for"] == "retry" && data["due"] != nil
        }
        try await eventually("the run to leave memory") { test.hub.mailboxes.count == 0 }
        let (record, steps) = try await test.hub.run(run)
        #expect(record.state == .waiting && steps[0].state == .waiting && steps[0].attempt == attempt)
        return steps[0]
    }

    // MARK: - What goes out

    @Test(
        "a message carries what the event says as values, its type, and one more hop; what was answered is the output")
    func delivered() async throws {
        let server = Self.server(("202 Accepted", "", "ticket 7"))
        try await TestHub.with(documents: Self.report, targets: Self.targets(server)) { test in
            let hops: [(name: String, value: String)] = [("belfry-hops", "2")]
            let run = try #require(try await test.post(Self.body, to: "lab", headers: hops).first?.runs.first)
            #expect(try await test.framesToEnd(of: run).text.contains("\nticket 7\n"))
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded && steps[0].state == .succeeded && steps[0].output == "ticket 7")
            #expect(steps[0].httpStatus == 202 && steps[0].data?.value["attempts"]?.array?.count == 1)
            let request = try #require(server.record.requests.first)
            #expect(server.record.requests.count == 1)
            #expect(Self.header("webhook-id", of: request) == "msg_\(run)_report")
            #expect(Self.header("belfry-hops", of: request) == "3")
            let content = try Self.content(of: request)
            #expect(content["type"] == "pump.p7")
            #expect(content["timestamp"]?.string == steps[0].started?.description)
            #expect(content["data"]?.text == #"{"celsius":96.5,"tone":"terse"}"#, "\(content)")
        }
    }

    // MARK: - Again

    @Test(
        "a target that fails gets eight attempts at one message, by the schedule, each from its row; then the run fails"
    )
    func schedule() async throws {
        let server = Self.server(("503 Service Unavailable", "", "closed"))
        let clock = SteppedClock()
        try await TestHub.with(
            documents: Self.report, targets: Self.targets(server), clock: WallClock { clock.now }
        ) { test in
            let run = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            for (attempt, pause) in [5, 300, 1800, 7200, 18000, 36000, 36000].enumerated() {
                let step = try await waiting(test, run, attempt: attempt + 1)
                #expect(step.error?.message == "ledger answered 503: closed" && step.error?.code == "send_failed")
                let last = step.data?.value["attempts"]?.array?.last
                #expect(last?["attempt"] == .int(attempt + 1) && last?["http_status"] == 503)
                #expect(last?["problem"] == "closed" && step.httpStatus == 503)
                let due = try #require(step.due)
                let left = (due - clock.now) / .seconds(pause)
                #expect((0.85...1.1).contains(left), "attempt \(attempt + 1): \(left)")
                test.set(clock, to: due)
            }
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .error && steps[0].attempt == 8)
            #expect(steps[0].error?.message == "ledger answered 503: closed (attempt 8 of 8)")
            let requests = server.record.requests
            #expect(requests.count == 8 && Set(requests.map { Self.header("webhook-id", of: $0) }).count == 1)
            #expect(
                Set(try requests.map { try Self.content(of: $0).text }).count == 1, "one message, one time of its own")
            let times = requests.compactMap { Self.header("webhook-timestamp", of: $0).flatMap { Int($0) } }
            #expect(times.count == 8 && times == times.sorted() && times[7] - times[0] > 80_000)
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test(
        "a restart between attempts, and one in the midst of an attempt, go on with the same message and the next attempt"
    )
    func restart() async throws {
        let isHeld = Mutex(true)
        let server = ScriptedServer { connection in
            let isFirst = connection.readRequest()?.contains("\r\n\r\n") == true && isHeld.withLock { $0 }
            if isFirst { return connection.waitForClose() }
            connection.answer("500 Oops")
        }
        let (folder, clock) = (try TestFolder(), SteppedClock())
        func with<Result: Sendable>(_ body: @Sendable (TestHub) async throws -> Result) async throws -> Result {
            try await TestHub.with(
                documents: Self.report, targets: Self.targets(server), folder: folder, clock: WallClock { clock.now },
                body)
        }
        let run = try await with { test in
            let run = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            #expect(await server.waits { $0.requests.count == 1 })
            return run
        }
        isHeld.withLock { $0 = false }
        let second = try await with { test in try await waiting(test, run, attempt: 2) }
        clock.set(to: try #require(second.due))
        let third = try await with { test in try await waiting(test, run, attempt: 3) }
        #expect(third.started == second.started)
        let requests = server.record.requests
        #expect(requests.count == 3 && Set(requests.map { Self.header("webhook-id", of: $0) }) == ["msg_\(run)_report"])
        #expect(Set(try requests.map { try Self.content(of: $0).text }).count == 1)
    }

    @Test("Retry-After makes the pause longer; who waits is stopped at once")
    func retryAfter() async throws {
        let server = Self.server(("429 Too Many Requests", "Retry-After: 3600\r\n", ""))
        let clock = SteppedClock()
        try await TestHub.with(
            documents: Self.report, targets: Self.targets(server), clock: WallClock { clock.now }
        ) { test in
            let run = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            let step = try await waiting(test, run)
            #expect(step.due == clock.now + .seconds(3600))
            let answer = try await test.hub.perform(.stop, on: run, by: anna)
            #expect(answer.result == .applied && answer.latency < .seconds(5))
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .stopped && record.reason == .operator)
            #expect(steps.map(\.state) == [.stopped] && steps[0].due == nil)
        }
    }

    @Test("a message that waits is skipped with the step's default, or goes out with what was adjusted")
    func commands() async throws {
        let server = Self.server(("500 Oops", "", ""), ("500 Oops", "", ""), ("204 No Content", "", ""))
        let clock = SteppedClock()
        try await TestHub.with(
            documents: Self.report, targets: Self.targets(server), clock: WallClock { clock.now }
        ) { test in
            let skipped = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            _ = try await waiting(test, skipped)
            let skip = RunCommandKind.skip(step: "report", output: nil)
            #expect(try await test.hub.perform(skip, on: skipped, by: anna).result == .applied)
            #expect(try await test.framesToEnd(of: skipped).text.contains("\nnobody was told\n"))
            let adjusted = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            let step = try await waiting(test, adjusted)
            let adjust = RunCommandKind.adjust(RunAdjustment(params: ["tone": "full"]))
            #expect(try await test.hub.perform(adjust, on: adjusted, by: anna).result == .applied)
            let prompt = RunAdjustment(steps: ["report": .init(prompt: .some("x"))])
            let refused = try await test.hub.perform(.adjust(prompt), on: adjusted, by: anna)
            #expect(refused.reason?.contains("is of kind send") == true, "\(refused)")
            test.set(clock, to: try #require(step.due))
            _ = try await test.framesToEnd(of: adjusted)
            #expect(try await test.hub.run(adjusted).run.state == .succeeded)
            let last = try #require(server.record.requests.last)
            #expect(try Self.content(of: last)["data"]?["tone"] == "full")
        }
    }

    @Test("a target that answers with its message does not make the link in it known")
    func linkStaysSecret() async throws {
        let server = ScriptedServer { connection in
            guard let request = connection.readRequest(),
                let body = request.split(separator: "\r\n\r\n", maxSplits: 1).last
            else { return }
            connection.answer("200 OK", body: String(body))
        }
        let documents = Self.documents(
            steps: """
                    - { step: tell, send: { to: ledger, body: { text: "Decide: {{links.confirm}}" } } }
                    - { step: confirm, approve: "Go on?" }
                """)
        try await TestHub.with(documents: documents, targets: Self.targets(server)) { test in
            let run = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .approvalRequested }
            let sent = try Self.content(of: try #require(server.record.requests.first))
            let code = try #require(sent["data"]?["text"]?.string?.split(separator: "=").last)
            #expect(try await test.hub.question(link: String(code)).approval?.name == "confirm")
            let output = try #require(try await test.hub.run(run).steps[0].output)
            #expect(!output.contains(code) && output.contains("/decide?code=<secret>"), "\(output)")
        }
    }

    // MARK: - No more

    @Test("a target that is gone ends the run, is told of once, and gets nothing of the next run")
    func gone() async throws {
        let server = Self.server(("410 Gone", "", "moved away"))
        try await TestHub.with(documents: Self.report, targets: Self.targets(server)) { test in
            for _ in 0..<2 {
                let run = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
                _ = try await test.framesToEnd(of: run)
                let (record, steps) = try await test.hub.run(run)
                #expect(record.state == .failed && record.error?.code == "target_disabled")
                #expect(steps[0].state == .failed && steps[0].attempt == 1)
            }
            #expect(server.record.requests.count == 1)
            let alerts = try await test.hub.frames(after: 0, through: nil, topics: [.alerts], max: 100).frames
            let dead = alerts.filter { $0.draft.data.value["kind"] == "target_dead" }
            #expect(dead.count == 1)
            #expect(try await test.hub.targets().first?["enabled"] == false)
        }
    }

    @Test("a run that is resolved while its message is under way waits for the answer, and for no further attempt")
    func resolved() async throws {
        let mayAnswer = Mutex(false)
        let server = ScriptedServer { connection in
            connection.readRequest()
            while !mayAnswer.withLock({ $0 }) { connection.pause(milliseconds: 5) }
            connection.answer("500 Oops")
        }
        let documents = Self.documents(
            steps: "    - { step: report, send: { to: ledger, body: 1 } }",
            rest: """
                group: { by: [data.sensor] }
                resolve: { when: { source: [lab], type: [calm] } }
                on_resolved: stop
                """)
        try await TestHub.with(documents: documents, targets: Self.targets(server)) { test in
            let run = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            #expect(await server.waits { $0.requests.count == 1 })
            let calm = try await test.post(#"{"type":"calm","sensor":"p7"}"#, to: "lab").first
            #expect(calm?.outcomes.map(\.outcome) == [.resolved])
            mayAnswer.withLock { $0 = true }
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .stopped && record.reason == .resolved && steps.map(\.state) == [.stopped])
        }
    }

    @Test("a body that is too long, and an attempt that takes longer than its step allows")
    func bounds() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        let documents = Self.documents(
            steps: """
                    - { step: slow, timeout: 200ms, send: { to: ledger, body: [{ text: "{{event}}" }] } }
                """)
        try await TestHub.with(documents: documents, targets: Self.targets(server)) { test in
            let slow = try #require(try await test.post(Self.body, to: "lab").first?.runs.first)
            #expect(try await waiting(test, slow).error?.code == "send_failed")
            let long = #"{"type":"reading","words":"\#(String(repeating: "x", count: 2 << 20))"}"#
            let big = try #require(try await test.post(long, to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: big)
            #expect(try await test.hub.run(big).run.error?.code == "payload_too_large")
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    func take() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
