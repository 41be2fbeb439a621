public import BelfryCore
import BelfrySources
public import BelfryStore
import Logging

/// What a link in a message asks its reader.
public struct LinkedQuestion: Sendable {
    public var run: RunRecord
    public var step: String
    /// The last question of the step; nil: it has not asked yet.
    public var approval: ApprovalRecord?
}

extension Hub {
    /// What a link (`{{links.STEP}}` of a message) is about.
    ///
    /// - Throws: `not_found` for what is no link of this hub, or of a run that is gone.
    public func question(link code: String) async throws(BelfryError) -> LinkedQuestion {
        let links = DecisionLinks(key: store.key(for: DecisionLinks.purpose))
        guard let (id, step) = links.question(of: code) else {
            throw BelfryError(.notFound, "this is no link of this hub; perhaps it was cut when it was copied")
        }
        let run = try await store.run(id)
        let name = try await steps(of: run).dropFirst(step).first?.name
        let approval = try await store.approvals(of: id).last { $0.step == step }
        return LinkedQuestion(run: run, step: name ?? "", approval: approval)
    }

    /// Decides a question by a link: whoever has it may.
    ///
    /// - Parameter approval: the question that the reader has seen.
    /// - Throws: what ``question(link:)`` and ``perform(_:on:id:by:)`` throw.
    public func decide(
        link code: String, _ approval: ApprovalID, _ verdict: Verdict
    ) async throws(BelfryError) -> CommandAnswer {
        let question = try await question(link: code)
        guard question.approval?.id == approval else {
            throw BelfryError(.conflict, "the step asks something else now; read it before you decide")
        }
        return try await decide(approval, verdict, by: Principal(token: nil, name: "link", role: .operator))
    }

    // MARK: - Slack

    /// Carries out what the buttons of Slack messages say (`action_id` `belfry.approve` or `belfry.deny`, `value` an
    /// approval's id or `RUN/STEP`), if whoever pressed one is a principal here. What can't be done is a notice: the
    /// delivery itself was good.
    func decide(pressed events: [AcceptedEvent], of delivery: AcceptedDelivery) async {
        for (accepted, item) in zip(events, delivery.items) where item.event.type == "block_actions" {
            guard let press = SlackPress(item.event.data.value) else { continue }
            do throws(BelfryError) {
                let answer = try await decide(press, of: accepted.event)
                if answer.result == .rejected { await note(press, item.event, answer.reason ?? "rejected") }
            } catch {
                await note(press, item.event, error.message)
            }
        }
    }

    private func decide(_ press: SlackPress, of event: EventID) async throws(BelfryError) -> CommandAnswer {
        guard let name = configuration.slackUsers[press.user] else {
            throw BelfryError(
                .forbidden,
                "the user \(press.user) may not decide here; approvals.slack_users of the configuration says who may: { \(press.user): NAME }"
            )
        }
        let principal = Principal(token: nil, name: name, role: .operator)
        // The button pressed once is one command, however often Slack says so.
        let command = CommandID(bytes: event.bytes)
        if let approval = ApprovalID(press.value) {
            return try await decide(approval, press.verdict, id: command, by: principal)
        }
        let parts = press.value.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let run = RunID(parts[0]) else {
            throw BelfryError(.malformed, "the button's value is neither an approval's id nor RUN/STEP")
        }
        let kind: RunCommandKind =
            switch press.verdict {
            case .approve: .approve(step: parts[1])
            case .deny(let reason): .deny(step: parts[1], reason: reason)
            }
        return try await perform(kind, on: run, id: command, by: principal)
    }

    private func note(_ press: SlackPress, _ event: Event, _ reason: String) async {
        let notice = Notice(
            .decisionRefused, .warning, title: "A button in Slack has decided nothing", text: reason, event: event.id,
            source: event.source)
        logger.notice("a button in Slack has decided nothing", metadata: ["reason": "\(reason)"])
        _ = try? await store.append([notice.frame(at: configuration.clock.now())])
    }
}

/// A button of a Slack message that is meant for the hub (docs.slack.dev, block_actions payload).
private struct SlackPress {
    let user: String
    let value: String
    let verdict: Verdict

    /// Nil for what is meant for somebody else.
    init?(_ payload: JSONValue) {
        guard let user = payload["user"]?["id"]?.string, let action = payload["actions"]?.array?.first,
            let value = action["value"]?.string
        else { return nil }
        switch action["action_id"]?.string {
        case "belfry.approve": verdict = .approve()
        case "belfry.deny": verdict = .deny()
        default: return nil
        }
        self.user = user.plain(bytesMax: 64)
        self.value = value
    }
}
