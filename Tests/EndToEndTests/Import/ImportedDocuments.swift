import BelfryCore
import BelfryRules
import BelfrySources

/// What `belfry rules import adnanh` made of a hook, and how a hub would decide with it.
struct ImportedDocuments {
    var hook: ConvertedHook
    var source: SourceDefinition
    var rule: RuleDefinition
    /// By variable.
    var secrets: [String: Secret]

    /// All hooks that were converted, and the result with its findings.
    static func all(_ file: String) throws -> (result: HookImport, documents: [ImportedDocuments]) {
        let result = try HookImport([("hooks.json", file)])
        let secrets = Dictionary(uniqueKeysWithValues: result.secrets.map { ($0.variable, $0.value) })
        var all: [ImportedDocuments] = []
        for hook in result.hooks {
            let documents = try DocumentLoader.load([("\(hook.name).yaml", hook.text)])
            guard documents.count == 2, case .source(let source) = documents[0].content,
                case .rule(let rule) = documents[1].content
            else { throw Timeout(what: "a source and a rule in \(hook.text)") }
            all.append(ImportedDocuments(hook: hook, source: source, rule: rule, secrets: secrets))
        }
        return (result, all)
    }

    /// Whether a delivery starts a run of the rule.
    /// - Parameter isLoopback: whether the sender may be unverified.
    func fires(
        headers: [(name: String, value: String)], body: [UInt8], remote: String = "127.0.0.1", isLoopback: Bool = true
    ) -> Bool {
        let now = Timestamp(seconds: 1_800_000_000)
        let delivery = Delivery(
            headers: HeaderFields(headers), body: body, remote: remote, isLoopback: isLoopback, received: now)
        let named = source.secrets.compactMap { reference -> NamedSecret? in
            guard case .environment(let variable, _) = reference else { return nil }
            return secrets[variable].map { NamedSecret(name: variable, secret: $0) }
        }
        guard case .accepted(_, let events) = source.judge(delivery, secrets: named), rule.isEnabled else {
            return false
        }
        return events.contains { incoming in
            let event = Event(
                id: EventID(at: now), source: source.name, type: incoming.type, time: now, received: now,
                remote: remote, headers: incoming.headers, data: incoming.data)
            return rule.pattern.matches(event.value)
        }
    }
}
