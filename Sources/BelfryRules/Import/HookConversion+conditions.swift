import BelfryCore

/// The rest of a hook's rule as an event pattern.
extension HookConversion {
    /// The rule's pattern, besides its source.
    mutating func pattern(_ conjuncts: [Conjunct], _ check: SenderCheck?) -> JSONObject {
        guard let trigger = hook.trigger else { return JSONObject() }
        var conditions: [Condition] = []
        for conjunct in conjuncts where !isCheck(conjunct) {
            conditions.append(condition(conjunct.rule, conjunct.key, check))
        }
        let formula: Formula =
            if case .and = trigger { .allOf(conditions.map(\.yes)) } else { .allOf(conditions.map(\.triggers)) }
        do throws(NotExpressible) {
            let branches = try formula.branches()
            guard !branches.isEmpty else {
                disable("trigger-rule", "webhook never triggers this hook: its rule cannot hold", mend: "mend the hook")
                return JSONObject()
            }
            let text = PatternText(branches)
            for excess in text.excesses { disable("trigger-rule", excess.reason, mend: excess.mend) }
            for shortfall in text.shortfalls.sorted() { differ("trigger-rule", shortfall) }
            noteDifferences(branches)
            for branch in branches { note(branch) }
            return text.pattern
        } catch {
            disable("trigger-rule", error.reason, mend: error.mend)
            return JSONObject()
        }
    }

    private mutating func noteDifferences(_ branches: [Formula.Branch]) {
        let fields = branches.flatMap(\.keys)
        if fields.contains(where: { if case .payload = $0 { true } else { false } }) {
            differ(
                "trigger-rule",
                "patterns look into lists (one element that fits is enough) and compare numbers by value (1.0 is 1); "
                    + "webhook compares the whole list and the number's text")
            differ(
                "trigger-rule",
                "a body without a content type is read as JSON, a key with a dot in it counts as nesting, and below null a "
                    + "value is missing; webhook reads no such body, prefers the whole key, and stops at null with an error"
            )
        }
        if branches.contains(where: { $0.contains { $0.key.isHeader && $0.value.dependsOnRepetition } }) {
            differ(
                "trigger-rule",
                "a header that stands there twice is one text, joined with ', '; webhook looks at the first alone")
        }
        if fields.contains(.remote) {
            differ(
                "trigger-rule",
                "`remote` is the peer's address: behind a proxy it is the proxy's, for webhook as for the hub")
        }
    }

    private mutating func note(_ branch: Formula.Branch) {
        for (field, ask) in branch {
            written(field.path)
            let tests: [FieldTest] =
                switch ask {
                case .holds(let test): [test]
                case .fails(let tests): tests
                case .missing: []
                }
            for test in tests { test.literals.forEach { written($0) } }
        }
    }

    // MARK: Rules

    private mutating func condition(_ rule: HookRule, _ key: String, _ check: SenderCheck?) -> Condition {
        switch rule {
        case .and(let rules): return .and(conditions(rules, "\(key).and", check))
        case .or(let rules): return .or(conditions(rules, "\(key).or", check))
        case .not(let rule): return .not(condition(rule, "\(key).not", check))
        case .nothing: return .constant(false)
        case .match(let match):
            do throws(NotExpressible) {
                return try condition(match, "\(key).match", check)
            } catch {
                drop(secret: match.secret)
                if Confidential.isSuspect(match.parameter.name) { drop(secret: match.value) }
                disable("\(key).match", error.reason, mend: error.mend)
                // Whatever it is taken for, the rule starts nothing.
                return Condition.unknown
            }
        }
    }

    private mutating func conditions(_ rules: [HookRule], _ key: String, _ check: SenderCheck?) -> [Condition] {
        var conditions: [Condition] = []
        for (index, rule) in rules.enumerated() { conditions.append(condition(rule, "\(key)[\(index)]", check)) }
        return conditions
    }

    private mutating func condition(
        _ match: HookMatch, _ key: String, _ check: SenderCheck?
    ) throws(NotExpressible) -> Condition {
        if match.type == "ip-whitelist" {
            for address in HookAddresses.widened(in: match.addresses) {
                differ(key, "\(address) is that address alone; webhook takes it for \(address)/32")
            }
            let tests = try HookAddresses.tests(of: match.addresses)
            return tests.isEmpty ? .constant(false) : Condition(.remote, tests)
        }
        if match.type == "scalr-signature" || Self.algorithm(of: match.type) != nil {
            throw Self.signatureRefused(match)
        }
        guard match.type == "value" || match.type == "regex" else {
            throw NotExpressible(
                reason: "webhook knows no type '\(match.type.prefix(80))', and never triggers the hook",
                mend: "the types are value, regex, payload-hmac-sha1, …-sha256, …-sha512 and ip-whitelist")
        }
        let isSecret = Confidential.isSuspect(match.parameter.name)
        guard !isSecret else {
            throw NotExpressible(
                reason:
                    "'\(match.parameter.name.prefix(80))' holds a secret, and secrets are compared by sources only: as "
                    + "an equal value of a header that must hold in any case",
                mend: "let the sender send it in a header, or sign")
        }
        if let constant = try constant(match.parameter) {
            let results = try Self.tests(match).map { $0.matches(constant) }
            guard !results.contains(nil) else {
                throw NotExpressible(reason: "the text holds a line feed", mend: "write the `when` by hand")
            }
            return .constant(results.contains(true))
        }
        return Condition(try field(match.parameter, check), try Self.tests(match))
    }

    private static func tests(_ match: HookMatch) throws(NotExpressible) -> [FieldTest] {
        if match.type == "value" { return [.equals(match.value)] }
        do throws(HookRegex.Refusal) {
            return try HookRegex.tests(of: match.regex)
        } catch {
            throw NotExpressible(
                reason: "the regular expression has no exact equivalent: \(error.reason)",
                mend: "write the `when` by hand with prefix, suffix, wildcard or a list of values")
        }
    }

    private static func signatureRefused(_ match: HookMatch) -> NotExpressible {
        let mend = "verify the sender with one signature that must hold in any case, in the outer `and`"
        if match.type == "scalr-signature" {
            return NotExpressible(reason: "no source verifies Scalr's signature (it signs the date too)", mend: mend)
        }
        if match.secret.isEmpty {
            return NotExpressible(reason: "the secret is empty, and webhook refuses every request", mend: "set one")
        }
        if !match.parameter.signedHeaders.isEmpty {
            return NotExpressible(
                reason: "the signature is over the body and headers behind it",
                mend:
                    "if the sender can sign the body alone, let it; `signature.content` has one id or timestamp"
            )
        }
        if match.parameter.source != "header" {
            return NotExpressible(
                reason: "the signature is in '\(match.parameter.source.prefix(40))', and sources read it from a header",
                mend: "let the sender send it in a header")
        }
        return NotExpressible(
            reason: "the signature is asked for in some cases only; a source verifies every delivery", mend: mend)
    }

    // MARK: Parameters

    /// What a parameter is, whatever the request.
    private func constant(_ parameter: HookParameter) throws(NotExpressible) -> String? {
        switch parameter.source {
        case "string": return parameter.name
        case "request" where parameter.name.lowercased() == "method": return "POST"
        default: return nil
        }
    }

    private mutating func field(_ parameter: HookParameter, _ check: SenderCheck?) throws(NotExpressible) -> EventField
    {
        switch parameter.source {
        case "header":
            let name = parameter.name.lowercased()
            if name == check?.header.lowercased() {
                throw NotExpressible(
                    reason: "the header \(name) carries what verifies the sender, and is never kept",
                    mend: "leave it out")
            }
            try Self.checkHeader(name)
            keep(header: name)
            return .header(name)
        case "payload":
            let parts = parameter.name.split(separator: ".", omittingEmptySubsequences: false)
            guard !parts.contains(where: \.isEmpty) else {
                throw NotExpressible(
                    reason: "'\(parameter.name.prefix(80))' is no path into the payload", mend: "name a value")
            }
            if let index = parts.first(where: { $0.utf8.allSatisfy { $0 &- 0x30 < 10 } }) {
                throw NotExpressible(
                    reason:
                        "a pattern cannot ask for element \(index) of a list alone: it would hold for every element",
                    mend:
                        "if any element may fit, write \(parts.filter { $0 != index }.joined(separator: ".")) into the "
                        + "`when` and enable the rule")
            }
            return .payload(parameter.name)
        default: throw Self.unavailable(parameter)
        }
    }

    static func checkHeader(_ lowerName: String) throws(NotExpressible) {
        if ["host", "transfer-encoding", "trailer"].contains(lowerName) {
            throw NotExpressible(
                reason: "webhook does not see the header \(lowerName), so this never holds", mend: "leave it out")
        }
    }

    /// Why a parameter is not part of an event.
    static func unavailable(_ parameter: HookParameter) -> NotExpressible {
        switch parameter.source {
        case "url", "query", "entire-query":
            NotExpressible(
                reason: "the query of the URL is not part of an event",
                mend: "let the sender put it into a header or the body")
        case "request":
            NotExpressible(
                reason: "of the request itself an event holds the peer's address alone",
                mend: "ask for it with ip-whitelist")
        case "entire-headers":
            NotExpressible(
                reason: "an event keeps the headers that its source names, not all",
                mend: "name those that are needed in `keep_headers`")
        default:
            NotExpressible(
                reason: "the source '\(parameter.source.prefix(40))' of the parameter is not known here",
                mend: "take the value from a header or the payload")
        }
    }
}
