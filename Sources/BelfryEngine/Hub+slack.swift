import BelfryCore
import BelfryStore
import Logging

extension Hub {
    /// Carries out what the buttons of Slack messages say (`action_id` `belfry.approve` or `belfry.deny`, `value` an
    /// approval's id or `RUN/STEP`), if whoever pressed one is a principal here, and lets Slack show what became of it. What
    /// can't be done is a notice: the delivery itself was good.
    func decide(pressed events: [AcceptedEvent], of delivery: AcceptedDelivery) async {
        for (accepted, item) in zip(events, delivery.items) where item.event.type == "block_actions" {
            guard let press = SlackPress(item.event.data.value) else { continue }
            do throws(BelfryError) {
                let name = try principal(of: press)
                let answer = try await decide(press, as: name, of: accepted.event)
                guard answer.result == .rejected else {
                    let word = if case .approve = press.verdict { "approved" } else { "denied" }
                    slackAnswers.tell(press, press.replacement("\(word) by \(name)"))
                    continue
                }
                await refuse(press, item.event, answer.reason ?? "rejected")
            } catch {
                await refuse(press, item.event, error.message)
            }
        }
    }

    /// - Throws: `forbidden`.
    private func principal(of press: SlackPress) throws(BelfryError) -> String {
        guard let name = configuration.slackUsers[press.user] else {
            throw BelfryError(
                .forbidden,
                "the user \(press.user) may not decide here; approvals.slack_users of the configuration says who may: { \(press.user): NAME }"
            )
        }
        return name
    }

    private func decide(
        _ press: SlackPress, as name: String, of event: EventID
    ) async throws(BelfryError) -> CommandAnswer {
        let principal = Principal(token: nil, name: name, role: .operator)
        // The button pressed once is one command, however often Slack says so.
        let command = CommandID(bytes: event.bytes)
        switch try question(of: press) {
        case .approval(let approval): return try await decide(approval, press.verdict, id: command, by: principal)
        case .step(let run, let step):
            let kind: RunCommandKind =
                switch press.verdict {
                case .approve: .approve(step: step)
                case .deny(let reason): .deny(step: step, reason: reason)
                }
            return try await perform(kind, on: run, id: command, by: principal)
        }
    }

    private enum PressedQuestion {
        case approval(ApprovalID)
        case step(RunID, String)
    }

    /// - Throws: `malformed`.
    private func question(of press: SlackPress) throws(BelfryError) -> PressedQuestion {
        if let approval = ApprovalID(press.value) { return .approval(approval) }
        let parts = press.value.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let run = RunID(parts[0]) else {
            throw BelfryError(.malformed, "the button's value is neither an approval's id nor RUN/STEP")
        }
        return .step(run, parts[1])
    }

    /// Why it can't be decided any more; nil: it is still open, or there is none.
    private func closing(of press: SlackPress) async throws(BelfryError) -> String? {
        switch try question(of: press) {
        case .approval(let approval): try await store.approval(approval).closing
        case .step(let run, let step): try await store.approvals(of: run).last { $0.name == step }?.closing
        }
    }

    private func refuse(_ press: SlackPress, _ event: Event, _ reason: String) async {
        // Buttons that decide nothing any more go; those of an open question stay for who may press them.
        if configuration.slackUsers[press.user] != nil, let why = try? await closing(of: press) {
            slackAnswers.tell(press, press.replacement(why))
        } else {
            slackAnswers.tell(press, SlackPress.hint("Nothing was decided: \(reason)"))
        }
        let notice = Notice(
            .decisionRefused, .warning, title: "A button in Slack has decided nothing", text: reason, event: event.id,
            source: event.source)
        logger.notice("a button in Slack has decided nothing", metadata: ["reason": "\(reason)"])
        _ = try? await store.append([notice.frame(at: configuration.clock.now())])
    }
}
