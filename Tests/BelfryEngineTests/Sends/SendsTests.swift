import BelfryCore
import BelfryHTTP
import BelfrySources
import BelfryStore
import Foundation
import Logging
import Synchronization
import Testing

@testable import BelfryEngine

/// What becomes of one attempt, against targets that are slow, broken or gone.
@Suite(.timeLimit(.minutes(3)))
struct SendsTests {
    private static let key = "whsec_" + Base64.encode(Array("a key of twenty-four bytes".utf8))
    private static let token = "Bearer t0ken-of-the-ledger"
    private static let now = Timestamp("2026-11-23T12:00:00Z") ?? Timestamp(milliseconds: 0)

    /// Sends to the one target `ledger`, for the time of `body`.
    private func with<Result: Sendable>(
        _ url: String, timeout: Duration = .seconds(5), environment: [String: String] = [:],
        change: (inout SendTarget) -> Void = { _ in }, _ body: (Sends, Store) async throws -> Result
    ) async throws -> Result {
        let folder = try TestFolder()
        let variables = ["KEY": Self.key, "TOKEN": Self.token, "URL": url].merging(environment) { $1 }
        var configuration = HubConfiguration(
            folder: folder.path,
            secrets: SecretResolver(allowedEnvironment: [], allowedFiles: [], environment: { variables[$0] }))
        configuration.clock = WallClock { Self.now }
        var target = SendTarget(.url(url))
        target.secret = .environment("KEY", isOptional: false)
        target.headers = ["Authorization": .environment("TOKEN", isOptional: false)]
        target.allowsPrivateAddresses = true
        change(&target)
        configuration.targets = ["ledger": target]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = try Store.open(
            StoreConfiguration(folder: folder.path, clock: configuration.clock), logger: logger, onCommit: { _ in })
        let sends = Sends(configuration, store: store, timeout: timeout, logger: logger)
        do {
            let result = try await body(sends, store)
            sends.close()
            await store.close()
            return result
        } catch {
            sends.close()
            await store.close()
            throw error
        }
    }

    private func work(attempt: Int = 1, target: String = "ledger", body: String = #"{"celsius":96}"#) -> SendWork {
        SendWork(
            target: target, body: Array(body.utf8), webhookID: "msg_run_1_report", type: "belfry.step",
            created: Self.now, hops: 2, attempt: attempt)
    }

    /// One attempt at a server that gives every request this answer.
    private func outcome(
        of status: String, headers: String = "", body: String = "", attempt: Int = 1
    ) async throws -> SendOutcome {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(status, headers: headers, body: body)
        }
        return try await with(server.url) { sends, _ in await sends.perform(work(attempt: attempt)) }
    }

    private func pause(_ outcome: SendOutcome) -> Duration? {
        if case .again(let due, _) = outcome { due - Self.now } else { nil }
    }

    private func error(_ outcome: SendOutcome) -> BelfryError? {
        switch outcome {
        case .failed(let error), .again(_, let error): error
        case .delivered: nil
        }
    }

    private func delivered(_ outcome: SendOutcome) -> (status: Int, excerpt: String)? {
        if case .delivered(let status, let excerpt) = outcome { (status, excerpt) } else { nil }
    }

    // MARK: - What goes out

    @Test("a message has the envelope of Standard Webhooks, its headers, and a signature that our own source verifies")
    func message() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer("202 Accepted", body: "thanks")
        }
        let outcome = try await with(server.url + "/hooks?x=1") { sends, _ in await sends.perform(work()) }
        #expect(delivered(outcome)?.status == 202 && delivered(outcome)?.excerpt == "thanks")
        let request = try #require(server.record.requests.first)
        let parts = request.split(separator: "\r\n\r\n", maxSplits: 1).map(String.init)
        let body = #"{"type":"belfry.step","timestamp":"2026-11-23T12:00:00.000Z","data":{"celsius":96}}"#
        #expect(parts.count == 2 && parts[1] == body, "\(request)")
        let lines = parts[0].split(separator: "\r\n").map(String.init)
        #expect(lines[0] == "POST /hooks?x=1 HTTP/1.1")
        for line in [
            "webhook-id: msg_run_1_report", "webhook-timestamp: \(Self.now.seconds)", "belfry-hops: 3",
            "Authorization: \(Self.token)", "Content-Type: application/json",
        ] {
            #expect(lines.contains(line), "\(line) in \(lines)")
        }
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)) : nil
        }
        let documents = "source: peer\npreset: standard-webhooks\nsecret: env:TEST_SECRET\n"
        for (secret, isRight) in [(Self.key, true), ("whsec_" + Base64.encode(Array("another".utf8)), false)] {
            let folder = try TestFolder()
            var configuration = HubConfiguration(
                folder: folder.path,
                secrets: SecretResolver(
                    allowedEnvironment: ["TEST_SECRET"], allowedFiles: [], environment: { _ in secret }))
            configuration.clock = WallClock { Self.now }
            let hub = try await Hub.open(
                configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            _ = try await hub.applyDocuments([(path: "test.yaml", text: documents)], by: .hub)
            let delivery = Delivery(
                headers: HeaderFields(headers), body: Array(parts[1].utf8), remote: "127.0.0.1", isLoopback: true,
                received: Self.now)
            let isTaken = (try? await hub.receive(source: "peer", delivery)) != nil
            #expect(isTaken == isRight)
            await hub.close()
        }
    }

    @Test("a plain target gets the body as it is, a target without a secret no signature")
    func plain() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer()
        }
        try await with(
            server.url,
            change: { target in
                target.isPlain = true
                target.secret = nil
            }
        ) { sends, _ in
            #expect(delivered(await sends.perform(work()))?.status == 200)
        }
        let request = server.record.requests[0]
        #expect(request.hasSuffix("\r\n\r\n{\"celsius\":96}") && !request.contains("webhook-signature"))
        #expect(request.contains("webhook-id: msg_run_1_report"))
    }

    @Test("every attempt has the same id and body")
    func sameMessage() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer("500 Oops")
        }
        try await with(server.url) { sends, _ in
            for attempt in 1...3 { _ = await sends.perform(work(attempt: attempt)) }
        }
        let requests = server.record.requests
        #expect(requests.count == 3 && Set(requests).count == 1)
    }

    // MARK: - What came of it

    @Test("a redirect is a failure that says so, and is not followed")
    func redirect() async throws {
        let elsewhere = ScriptedServer { $0.readRequest() }
        let outcome = try await outcome(of: "307 Temporary Redirect", headers: "Location: \(elsewhere.url)/x\r\n")
        #expect(pause(outcome) == nil && error(outcome)?.message.contains("a redirect, and none is followed") == true)
        #expect(elsewhere.record.connections == 0)
    }

    @Test(
        "what a repetition does not mend is no attempt more",
        arguments: ["400 Bad", "401 No", "403 No", "404 No", "413 Large", "422 No"])
    func refused(status: String) async throws {
        let outcome = try await outcome(of: status, body: #"{"error":"no such channel"}"#)
        #expect(pause(outcome) == nil)
        #expect(error(outcome)?.message == "ledger answered \(status.prefix(3)): {\"error\":\"no such channel\"}")
    }

    @Test(
        "what may pass is tried again, no sooner than the target asks",
        arguments: [
            ("500 Oops", "", 4.5...5.5), ("503 Busy", "", 4.5...5.5), ("408 Slow", "", 4.5...5.5),
            ("429 Busy", "Retry-After: 77\r\n", 77...77),
            ("503 Busy", "Retry-After: Mon, 23 Nov 2026 12:10:00 GMT\r\n", 600...600),
            ("503 Busy", "Retry-After: Mon, 23 Nov 2020 12:10:00 GMT\r\n", 4.5...5.5),
            ("429 Busy", "Retry-After: 99999999\r\n", 86400...86400), ("429 Busy", "Retry-After: soon\r\n", 4.5...5.5),
        ] as [(String, String, ClosedRange<Double>)])
    func again(status: String, headers: String, seconds: ClosedRange<Double>) async throws {
        let outcome = try await outcome(of: status, headers: headers)
        let found = try #require(pause(outcome), "\(outcome)")
        #expect(seconds.contains(Double(found.milliseconds) / 1000), "\(found)")
    }

    @Test("the last attempt fails with what the target said")
    func lastAttempt() async throws {
        let outcome = try await outcome(of: "500 Oops", body: "out of paper", attempt: Limits.sendAttemptsMax)
        #expect(error(outcome)?.message == "ledger answered 500: out of paper (attempt 8 of 8)")
        #expect(pause(outcome) == nil)
    }

    @Test("a target that is gone gets nothing more until it is enabled, and a person is told once")
    func gone() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer("410 Gone", body: "the channel was archived")
        }
        try await with(server.url) { sends, store in
            for _ in 0..<3 {
                let error = error(await sends.perform(work()))
                #expect(error?.code == .targetDisabled)
                #expect(error?.message.contains("belfry targets enable ledger") == true, "\(error?.message ?? "")")
            }
            #expect(server.record.connections == 1)
            let disabled = try await store.disabledTarget("ledger")
            #expect(disabled?.reason == "ledger answered 410: the channel was archived")
            try await store.disableTarget("ledger", reason: "again")
            let admin = Principal.hub
            try await store.enableTarget("ledger", by: admin)
            _ = await sends.perform(work())
            #expect(server.record.connections == 2)
        }
    }

    @Test("a connection that is refused, reset or silent is tried again")
    func broken() async throws {
        let (socket, port) = ScriptedServer.listen(backlog: 1)
        close(socket)
        let refused = try await with("http://127.0.0.1:\(port)") { sends, _ in await sends.perform(work()) }
        #expect(pause(refused) != nil && error(refused)?.message.contains("nothing listens") == true)

        let resetting = ScriptedServer { connection in
            connection.readRequest()
            connection.resetOnClose()
        }
        let reset = try await with(resetting.url) { sends, _ in await sends.perform(work()) }
        #expect(pause(reset) != nil, "\(reset)")

        let silent = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        let timedOut = try await with(silent.url, timeout: .milliseconds(200)) { sends, _ in
            await sends.perform(work())
        }
        #expect(pause(timedOut) != nil, "\(timedOut)")
    }

    @Test("a status decides, also where the body after it drips, breaks off or never ends")
    func slowBody() async throws {
        let dripping = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            while connection.write("x") { connection.pause(milliseconds: 20) }
        }
        let outcome = try await with(dripping.url, timeout: .milliseconds(300)) { sends, _ in
            await sends.perform(work())
        }
        guard case .delivered(200, let excerpt) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(excerpt.allSatisfy { $0 == "x" })

        let endless = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n")
            while connection.write("1000\r\n\(String(repeating: "y", count: 4096))\r\n") {}
        }
        let refused = try await with(endless.url) { sends, _ in await sends.perform(work()) }
        #expect(pause(refused) != nil && error(refused)?.message.utf8.count ?? .max < 400)
    }

    @Test("an answer is read for 4 KiB")
    func longAnswer() async throws {
        let outcome = try await outcome(of: "200 OK", body: String(repeating: "z", count: 100_000))
        #expect(delivered(outcome)?.status == 200 && delivered(outcome)?.excerpt == String(repeating: "z", count: 4096))
    }

    // MARK: - Secrets and addresses

    @Test("a target that repeats what it was sent does not make a secret known")
    func echo() async throws {
        for status in ["200 OK", "400 Bad", "500 Oops"] {
            let server = ScriptedServer { connection in
                let request = connection.readRequest() ?? ""
                connection.answer(status, body: "you sent \(request) t0ken-of-the-ledger")
            }
            let outcome = try await with(
                server.url + "/T0/SECRETPATH",
                environment: ["URL": server.url + "/T0/SECRETPATH"],
                change: { $0.address = .reference(.environment("URL", isOptional: false)) }
            ) { sends, _ in await sends.perform(work()) }
            let text = "\(outcome) \(String(describing: SendAttempt(outcome)))"
            #expect(text.contains("you sent"), "\(text)")
            for secret in ["t0ken", "SECRETPATH", Self.key] { #expect(!text.contains(secret), "\(text)") }
        }
        // Cut in the middle of the secret.
        let filler = String(repeating: "-", count: Limits.sendAnswerBytesMax - 14)
        let cut = try await outcome(of: "200 OK", body: filler + Self.token)
        #expect(!"\(cut)".contains("Bearer"))
    }

    @Test("a private address is refused on the socket, by number and by name, unless the target may be private")
    func privateAddress() async throws {
        let server = ScriptedServer { $0.readRequest() }
        for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"] {
            let outcome = try await with(
                "http://\(host):\(server.port)/", change: { $0.allowsPrivateAddresses = false }
            ) { sends, _ in await sends.perform(work()) }
            #expect(error(outcome)?.code == .addressNotAllowed, "\(outcome)")
            #expect(pause(outcome) == nil)
        }
        #expect(server.record.connections == 0)
    }

    @Test("a secret that is missing is waited for; one that can't sign is never left out")
    func secrets() async throws {
        for value in ["", "whsec_", "whpk_AAAA", "not base 64!"] {
            let server = ScriptedServer { $0.readRequest() }
            let outcome = try await with(server.url, environment: ["KEY": value]) { sends, _ in
                #expect(sends.targets["ledger"].flatMap { sends.problem(of: $0) } != nil)
                return await sends.perform(work())
            }
            #expect(error(outcome)?.code == .secretUnavailable && pause(outcome) != nil, "\(outcome)")
            #expect(server.record.connections == 0)
        }
    }

    @Test("an unknown target, a huge message and a header with a line break fail at once")
    func impossible() async throws {
        let server = ScriptedServer { $0.readRequest() }
        try await with(server.url) { sends, _ in
            let unknown = await sends.perform(work(target: "leger"))
            #expect(
                error(unknown)?.message == "the server's configuration has no target leger; did you mean 'ledger'?")
            let huge = await sends.perform(work(body: "\"\(String(repeating: "x", count: 1_100_000))\""))
            #expect(error(huge)?.code == .payloadTooLarge && pause(huge) == nil)
        }
        let broken = try await with(server.url, environment: ["TOKEN": "a\r\nX-Evil: 1"]) { sends, _ in
            await sends.perform(work())
        }
        #expect(error(broken)?.message.contains("Evil") == false && pause(broken) == nil, "\(broken)")
        #expect(server.record.connections == 0)
    }

    @Test("a cut attempt ends at once")
    func cut() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        try await with(server.url, timeout: .seconds(50)) { sends, _ in
            let outcome = await withTaskGroup(of: SendOutcome.self) { group in
                group.addTask { [work = work()] in await sends.perform(work) }
                _ = await server.waits { $0.requests.count == 1 }
                group.cancelAll()
                return await group.next()
            }
            #expect(outcome.flatMap { error($0) }?.code == .cancelled)
        }
    }
}
