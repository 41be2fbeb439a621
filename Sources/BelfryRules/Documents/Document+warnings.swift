import BelfryCore

extension Document {
    /// What is legal in a rule and most often not meant: a line each, for a person.
    public var warnings: [String] {
        guard case .rule(let rule) = content else { return [] }
        return unknownFields + rule.stepWarnings.map { "rule \(name), \($0)" }
    }

    /// What only the server's configuration decides, for who has none at hand: a line each, for a person.
    public var assumptions: [String] {
        guard case .rule(let rule) = content else { return [] }
        return rule.steps.flatMap { step in
            step.targets.map {
                "rule \(name), step \(step.name): the server's `targets:` must have \($0), which is not looked at here"
            }
        }
    }

    /// Fields of a rule's `when`, `resolve.when` and waits that no event has, most often because `data` is missing before them. No
    /// error, because an event may come to have them.
    private var unknownFields: [String] {
        func fields(_ pattern: JSONValue?) -> [String] {
            (pattern?.object?.members ?? []).flatMap { member in
                member.key == "$or"
                    ? (member.value.array ?? []).flatMap(fields) : [String(member.key.prefix { $0 != "." })]
            }
        }
        let value = canonical.value
        let patterns = [("when", value["when"]), ("resolve.when", value["resolve"]?["when"])] + waits(value["run"])
        return patterns.flatMap { path, pattern in
            fields(pattern).filter { !Event.fieldNames.contains($0) }.map { field in
                let nearest = NearestName.of(field, among: Event.fieldNames).map { "did you mean '\($0)'?" }
                let hint = nearest ?? "what the sender wrote is below data"
                return "rule \(name): \(path): no event has a field '\(field.prefix(80))'; \(hint)"
            }
        }
    }

    private func waits(_ run: JSONValue?) -> [(String, JSONValue?)] {
        func waits(_ steps: JSONValue?, _ path: String) -> [(String, JSONValue?)] {
            (steps?.array ?? []).enumerated().flatMap { index, step in
                [("\(path)[\(index)].wait.for", step["wait"]?["for"])]
                    + waits(step["parallel"], "\(path)[\(index)].parallel")
            }
        }
        return waits(run?["steps"], "run.steps")
    }
}

extension RuleDefinition {
    /// Each begins with `step NAME: `.
    fileprivate var stepWarnings: [String] {
        steps.flatMap { step -> [String] in
            switch step.action {
            case .approve(let approve): warnings(of: step, approve)
            case .wait(.duration(let duration)):
                limits.runTime.map { $0 <= duration } == true
                    ? ["step \(step.name): the run has ended before it has waited (limits.run_time)"] : []
            case .wait(.event), .agent, .command, .send: []
            }
        }
    }

    private func warnings(of step: StepDefinition, _ approve: ApproveStep) -> [String] {
        var warnings: [String] = []
        let later = steps.filter { $0.stage > step.stage }
        if later.isEmpty {
            warnings.append("step \(step.name): it is the last one, so the decision stands before nothing")
        } else if approve.onDeny == .continue, !later.contains(where: { $0.asksFor(resultOf: step.name) }) {
            warnings.append(
                "step \(step.name): a denial changes nothing (on_deny: continue): no later step asks for "
                    + "steps.\(step.name).decision in its if")
        }
        if approve.otherwise == .approve {
            warnings.append(
                "step \(step.name): silence approves (otherwise: approve), where the server's configuration lets it "
                    + "(approvals.allow_otherwise_approve); where not, it denies")
        }
        return warnings
    }
}
