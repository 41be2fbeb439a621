public import BelfryCore
import BelfryRules
import BelfryStore

extension Hub {
    /// Starts a run of a rule by hand: stores the event and takes it as a match of the rule, whatever its pattern says.
    /// The rule's limits, groups and pauses hold as for every match.
    ///
    /// - Parameters:
    ///   - event: an event as the API shows it, or a CloudEvent: `{type?, subject?, time?, source?, data?}`. The
    ///     hub's own source of it is ``manualSource``; what it names is its `origin`.
    ///   - id: the client's own; repeated, it gets the first answer again.
    /// - Returns: `applied` with the `event`, its `outcome` and the `run`, if one was made; `rejected` if the event is
    ///   stored and starts nothing.
    /// - Throws: `not_found` for the rule, `conflict` for one that is switched off, `malformed` for the event.
    public func startRun(
        rule name: String, event given: JSONObject, id: CommandID? = nil, by principal: Principal
    ) async throws(BelfryError) -> CommandAnswer {
        let now = configuration.clock.now()
        let command = SentCommand(
            id ?? CommandID(at: now), "start", [.string(name), .object(given)], to: nil, by: principal)
        if let first = try await store.firstAnswer(to: command) { return first }
        let snapshot = registry.snapshot
        try checkMatches(name, in: snapshot)
        guard let rule = snapshot.ruleSet.rule(named: name) else { throw unknown(DocumentName(.rule, name)) }
        let event = try Event(given, by: command, at: now)
        let request = RuleMatch(rule: rule, kind: .triggers).request(of: event, event.value)
        let delivery = AcceptedDelivery(
            source: event.source, remote: event.remote, verifiedBy: "token/\(principal.name)",
            ruleSetVersion: snapshot.ruleSet.version,
            items: [AcceptedDelivery.Item(event: event, matches: [request].compactMap(\.self))])
        guard let accepted = try await store.accept(delivery).first else {
            throw BelfryError(.internal, "an event was stored and not told of")
        }
        let answer = command.answer(startedBy: accepted)
        var detail: JSONObject = ["command": .string(command.id.description)]
        for member in answer.details.members { detail[member.key] = member.value }
        try await store.record(
            command.record(answer),
            AuditDraft(by: principal, action: "run.start", subject: "rule/\(name)", detail: detail))
        return answer
    }

    /// The source of events that people give by hand.
    static let manualSource = "manual"
}

extension Event {
    /// - Throws: `malformed`, with what is wrong.
    fileprivate init(_ given: JSONObject, by command: SentCommand, at now: Timestamp) throws(BelfryError) {
        let data: JSONValue =
            if let data = given["data"] {
                data
            } else if let text = given["data_base64"]?.string {
                ["base64": .string(text)]
            } else if given.isEmpty || given["type"] != nil {
                [:]
            } else {
                throw BelfryError(
                    .malformed,
                    "the event has neither data nor type; a payload stands below data: {\"type\":\"try\",\"data\":{…}}")
            }
        self.init(
            id: EventID(at: now), source: Hub.manualSource, origin: try given.attribute("source"),
            // A repeated command finds the event that it has stored, also after a crash between the two.
            key: "\(command.by.name)/\(command.id)", type: try given.attribute("type") ?? Hub.manualSource,
            subject: try given.attribute("subject"), time: given["time"]?.string.flatMap { Timestamp($0) } ?? now,
            received: now, remote: "local", data: RawJSON(data))
    }
}

extension JSONObject {
    /// A text of at most ``Limits/attributeBytesMax``; nil where there is none.
    fileprivate func attribute(_ key: String) throws(BelfryError) -> String? {
        guard let value = self[key], value != .null else { return nil }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= Limits.attributeBytesMax else {
            throw BelfryError(
                .malformed, "the event's \(key) must be a text of 1 to \(Limits.attributeBytesMax) bytes")
        }
        return text
    }
}

extension SentCommand {
    /// What became of a start.
    fileprivate func answer(startedBy accepted: AcceptedEvent) -> CommandAnswer {
        let outcome = accepted.outcomes.first?.outcome
        var answer: CommandAnswer
        switch outcome {
        case .started, .queued, .grouped, .joined: answer = self.answer(.applied)
        case nil where !accepted.runs.isEmpty: answer = self.answer(.applied)
        case let outcome:
            answer = self.answer(
                .rejected,
                reason: "\(outcome?.rawValue ?? "no match"): the event is stored and starts nothing; "
                    + "belfry events why \(accepted.event) says more")
        }
        answer.details["event"] = .string(accepted.event.description)
        if let outcome { answer.details["outcome"] = .string(outcome.rawValue) }
        if let run = accepted.runs.first { answer.details["run"] = .string(run.description) }
        return answer
    }
}
