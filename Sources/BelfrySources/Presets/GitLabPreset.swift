import BelfryCore
import BelfryCrypto

extension PresetTraits {
    /// GitLab's project, group and system hooks (docs.gitlab.com/user/project/integrations/webhooks): a token that is
    /// sent as it is.
    static let gitlab = PresetTraits(
        scheme: { _ in TokenScheme(header: "X-Gitlab-Token") },
        keptHeaders: [
            "content-type", "user-agent", "idempotency-key", "x-gitlab-event", "x-gitlab-event-uuid",
            "x-gitlab-instance", "x-gitlab-webhook-uuid",
        ],
        normalise: GitLabPreset.read,
        setUp: { setUp in
            [
                "In the project or group: Settings, Webhooks, Add new webhook.",
                "  URL            \(setUp.url)",
                "  Secret token   \(setUp.secret)",
                "Choose the triggers, then: Test. GitLab sends the token as it is (X-Gitlab-Token): use https.",
            ]
        },
        sentHeaders: { id in [("X-Gitlab-Event-UUID", id), ("Idempotency-Key", id)] }
    )
}

private enum GitLabPreset {
    /// One change may fire several hooks that share an event UUID, so that names no delivery; without an
    /// Idempotency-Key the body does, for as long as GitLab retries.
    private static let bodyWindow = Duration.seconds(600)

    private static let paths = JSONPaths([
        "object_kind", "event_name", "project.path_with_namespace", "path_with_namespace", "group_path",
        "group.full_path",
    ])

    @Sendable static func read(_ delivery: VerifiedDelivery) throws(BelfryError) -> PresetTraits.Reading {
        let payload = try delivery.json(paths)
        let header = delivery.delivery.headers["x-gitlab-event"]
        guard
            let type = ["object_kind", "event_name"].lazy.compactMap({ payload.nonEmpty($0) }).first
                ?? header.flatMap({ $0.isEmpty ? nil : $0 })
        else { throw BelfryError(.missingAttribute, "the body has no `object_kind` and no `event_name`") }
        let path =
            payload.nonEmpty("project.path_with_namespace") ?? payload.nonEmpty("path_with_namespace")
            ?? payload.nonEmpty("group.full_path") ?? payload.nonEmpty("group_path")
        let given = delivery.delivery.headers["idempotency-key"].flatMap { $0.isEmpty ? nil : $0 }
        return .events([
            IncomingEvent(
                origin: path, key: given ?? BodyIdentity.key(of: payload.json),
                keyWindow: given == nil ? bodyWindow : nil, isKeySigned: given == nil, type: type, subject: path,
                data: payload.json
            )
        ])
    }
}

extension PickedJSON {
    /// The text at a path, if there is any.
    func nonEmpty(_ path: String) -> String? { string(path).flatMap { $0.isEmpty ? nil : $0 } }
}
