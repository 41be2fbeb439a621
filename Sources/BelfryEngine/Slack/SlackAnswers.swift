import BelfryCore
import BelfryHTTP
import Logging
public import ServiceLifecycle
import Synchronization

/// Tells Slack what became of a button, at the address that came with it. It is told once, at most: what was decided
/// stands in the run's rows, and does not depend on it.
public final class SlackAnswers: Service {
    /// What has become of them, since the start.
    struct Counts: Sendable, Hashable {
        var told = 0
        var failed = 0
    }

    private struct Answer: Sendable {
        var url: String
        var body: JSONValue
    }

    /// What an address must begin with.
    private let origin: String
    private let client: HTTPClient?
    private let logger: Logger
    private let state = Mutex(Counts())
    private let waiting: AsyncStream<Answer>
    private let queue: AsyncStream<Answer>.Continuation

    init(_ configuration: HubConfiguration, logger: Logger) {
        origin = configuration.slackOrigin.url
        self.logger = logger
        (waiting, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Limits.slackAnswersWaitingMax))
        let policy = OutboundPolicy(allowsPrivateAddresses: configuration.slackOrigin.allowsPrivateAddresses)
        // Where nobody may decide in Slack there is nobody to tell.
        client = configuration.slackUsers.isEmpty ? nil : HTTPClient(policy: policy, logger: logger)
    }

    var counts: Counts { state.withLock { $0 } }

    func close() {
        queue.finish()
        client?.close()
    }

    /// Posts an answer soon. Never blocks; without an address, or where nobody may decide, it does nothing.
    func tell(_ press: SlackPress, _ body: JSONValue) {
        guard client != nil, let url = press.responseURL else { return }
        guard url.utf8.starts(with: origin.utf8) else { return fail("the address is none of Slack's") }
        if case .dropped = queue.yield(Answer(url: url, body: body)) { fail("too many wait") }
    }

    /// Posts what waits, until the hub stops; what waits then is dropped.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                var atWork = 0
                for await answer in waiting {
                    if atWork == Limits.slackAnswersAtOnceMax {
                        await group.next()
                        atWork -= 1
                    }
                    group.addTask { await self.post(answer) }
                    atWork += 1
                }
            }
        }
    }

    private func post(_ answer: Answer) async {
        guard let client else { return }
        let request = HTTPRequest(
            "POST", url: answer.url,
            headers: [("Content-Type", "application/json; charset=utf-8"), ("User-Agent", "belfry")],
            body: answer.body.encoded())
        do throws(HTTPFailure) {
            let status = try await client.deliver(request, within: Limits.slackAnswerTimeout)
            guard (200...299).contains(status) else { return fail("Slack answered \(status)") }
            state.withLock { $0.told += 1 }
        } catch {
            // The code alone: who has the address can change the message.
            fail("\(error.code)")
        }
    }

    private func fail(_ reason: String) {
        state.withLock { $0.failed += 1 }
        logger.warning("Slack was not told what became of a button", metadata: ["reason": "\(reason)"])
    }
}

/// Where the addresses lead that Slack sends with a button.
public struct SlackOrigin: Sendable, Hashable {
    /// Scheme, host, port, and the `/` behind them: with it no other host can begin like this one.
    public var url = "https://hooks.slack.com/"
    /// For tests.
    public var allowsPrivateAddresses = false

    public init() {}
}
