public import BelfryCore
import BelfryStore

extension Hub {
    /// Every target of the configuration: `{name, signed, plain, allow_private, enabled, disabled_since, reason, problem}`. Never its
    /// URL, which may be a secret.
    public func targets() async throws(BelfryError) -> [JSONObject] {
        let disabled = try await store.disabledTargets()
        return sends.targets.sorted { $0.key < $1.key }.map { json(of: $0.key, $0.value, disabled[$0.key]) }
    }

    /// Lets a target that was gone get messages again.
    /// - Throws: `unknown_target`.
    public func enableTarget(_ name: String, by principal: Principal) async throws(BelfryError) -> JSONObject {
        guard let target = sends.targets[name] else { throw sends.unknown(name) }
        try await store.enableTarget(name, by: principal)
        return json(of: name, target, nil)
    }

    private func json(of name: String, _ target: SendTarget, _ disabled: DisabledTarget?) -> JSONObject {
        [
            "name": .string(name), "signed": .bool(target.secret != nil), "plain": .bool(target.isPlain),
            "allow_private": .bool(target.allowsPrivateAddresses), "enabled": .bool(disabled == nil),
            "disabled_since": .optional(disabled?.since.description), "reason": .optional(disabled?.reason),
            "problem": .optional(sends.problem(of: target)),
        ]
    }
}
