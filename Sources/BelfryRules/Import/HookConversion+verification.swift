import BelfryCore

/// How a hook's rule finds out who sends.
struct SenderCheck {
    /// As the hook writes it.
    var header: String
    /// Nil: the header holds the secret itself.
    var algorithm: SignatureSettings.Algorithm?
    /// Any of them is good.
    var secrets: [String]
    /// The keys that lead there.
    var key: String

    /// Whether the sender writes `sha1=` before the signature. webhook takes both, a source one of them.
    var hasPrefix: Bool { header.lowercased().contains("hub-signature") }

    /// `Authorization: Bearer SECRET`, which the preset `token` reads by itself; the secrets are without the word.
    var isBearer = false
}

/// Signatures and tokens: what must hold in any case becomes the source's; elsewhere in a rule it cannot be converted.
extension HookConversion {
    /// A part of the rule that must hold, whatever else does.
    struct Conjunct {
        var key: String
        var rule: HookRule
    }

    /// The rule taken apart at its outer `and`.
    func conjuncts() -> [Conjunct] {
        func parts(of rule: HookRule, _ key: String) -> [Conjunct] {
            guard case .and(let rules) = rule else { return [Conjunct(key: key, rule: rule)] }
            return rules.enumerated().flatMap { parts(of: $1, "\(key).and[\($0)]") }
        }
        return hook.trigger.map { parts(of: $0, "trigger-rule") } ?? []
    }

    /// What the source verifies; nil if there is nothing that it could.
    mutating func verification(_ conjuncts: [Conjunct]) -> SenderCheck? {
        let checks = conjuncts.compactMap { check($0) }
        // A signature says more than a token.
        guard var check = checks.first(where: { $0.algorithm != nil }) ?? checks.first else {
            differ(
                "trigger-rule",
                "nothing verifies the sender, so deliveries are taken from this machine only, and not through a proxy",
                mend: "for other senders give the source `preset: token` or `hmac` and `secret: generate`")
            return nil
        }
        for other in checks where other.key != check.key {
            disable(
                other.key, "a source verifies one signature or token, and this is another one",
                mend: "decide which one counts, and enable the rule")
            other.secrets.forEach { drop(secret: $0) }
        }
        if check.algorithm == nil, check.header.lowercased() == "authorization",
            check.secrets.allSatisfy({ $0.hasPrefix("Bearer ") })
        {
            check.isBearer = true
            check.secrets = check.secrets.map { String($0.dropFirst(7)) }
        }
        if let algorithm = check.algorithm {
            let (taken, refused) = check.hasPrefix ? ("with", "without") : ("without", "with")
            differ(
                check.key,
                "a signature \(taken) '\(algorithm.rawValue)=' before it is taken, one \(refused) it is refused "
                    + "(also in a list with commas)",
                mend: "if the sender writes the other one, change `signature.prefix` of the source")
        }
        return check
    }

    func isCheck(_ conjunct: Conjunct) -> Bool {
        var copy = self
        return copy.check(conjunct) != nil
    }

    private mutating func check(_ conjunct: Conjunct) -> SenderCheck? {
        switch conjunct.rule {
        case .match(let match): return check(match, conjunct.key)
        case .or(let rules):
            var checks: [SenderCheck] = []
            for (index, rule) in rules.enumerated() {
                guard case .match(let match) = rule, let check = check(match, "\(conjunct.key).or[\(index)]") else {
                    return nil
                }
                checks.append(check)
            }
            return oneOf(checks, conjunct.key)
        default: return nil
        }
    }

    /// The algorithm of a match type; nil for what is no signature. The older names are `payload-hash-…`.
    static func algorithm(of type: String) -> SignatureSettings.Algorithm? {
        for prefix in ["payload-hmac-", "payload-hash-"] where type.hasPrefix(prefix) {
            return SignatureSettings.Algorithm(rawValue: String(type.dropFirst(prefix.utf8.count)))
        }
        return nil
    }

    private func check(_ match: HookMatch, _ key: String) -> SenderCheck? {
        let parameter = match.parameter
        guard parameter.source == "header", !parameter.name.isEmpty else { return nil }
        if let algorithm = Self.algorithm(of: match.type) {
            guard !match.secret.isEmpty, parameter.signedHeaders.isEmpty else { return nil }
            return SenderCheck(header: parameter.name, algorithm: algorithm, secrets: [match.secret], key: key)
        }
        guard match.type == "value", Confidential.isSuspect(parameter.name), !match.value.isEmpty else { return nil }
        return SenderCheck(header: parameter.name, algorithm: nil, secrets: [match.value], key: key)
    }

    /// An `or` of checks as one check; nil if a source cannot be asked for it.
    private mutating func oneOf(_ checks: [SenderCheck], _ key: String) -> SenderCheck? {
        guard var one = checks.first else { return nil }
        one.key = key
        guard checks.count > 1 else { return one }
        let areTokens = checks.allSatisfy { $0.algorithm == nil }
        if !areTokens, !hook.hasSoftFailures {
            guard one.algorithm != nil else { return nil }
            differ(
                key,
                "only the first signature counts: without trigger-signature-soft-failures webhook refuses a request "
                    + "whose first signature is wrong, and the others are never looked at")
            checks.dropFirst().forEach { check in check.secrets.forEach { drop(secret: $0) } }
            return one
        }
        let same = checks.filter {
            $0.algorithm == one.algorithm && $0.header.lowercased() == one.header.lowercased()
        }
        if same.count == checks.count {
            var secrets: [String] = []
            for secret in checks.flatMap(\.secrets) where !secrets.contains(where: { $0.hasSameBytes(as: secret) }) {
                secrets.append(secret)
            }
            one.secrets = secrets
            return one
        }
        guard checks.allSatisfy({ $0.algorithm != nil }) else { return nil }
        let strength: [SignatureSettings.Algorithm?] = [.sha1, .sha256, .sha512]
        let best = checks.max {
            (strength.firstIndex(of: $0.algorithm) ?? 0) < (strength.firstIndex(of: $1.algorithm) ?? 0)
        }
        guard var best else { return nil }
        differ(
            best.key, "a source verifies one kind of signature: the one in \(best.header) counts",
            mend: "the sender must send that one")
        for check in checks where check.key != best.key { check.secrets.forEach { drop(secret: $0) } }
        best.key = key
        return best
    }
}
