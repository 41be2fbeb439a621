/// Scopes: the topics that a token is held to.
///
/// A scope is a topic in its text form, or `custom/*`. `run/*`, `source/*` and `custom/*` stand for every topic of
/// their kind. A scoped token reaches nothing but streams of its topics and what it may publish.
extension Principal {
    /// Whether the token may append to a topic: events to `source/NAME`, frames to `custom/NAME`.
    ///
    /// A publisher may only what its scopes name, so one without scopes may nothing. An operator without scopes may
    /// publish to every one of these.
    public func mayPublish(to topic: Topic) -> Bool {
        switch topic {
        case .source, .custom: break
        default: return false
        }
        return scopes.isEmpty ? role.includes(.operator) : mayPublishAtAll && covers(topic)
    }

    /// Whether the token may see the frames of a topic. Publishers see nothing.
    public func maySubscribe(to topic: Topic) -> Bool {
        role.includes(.viewer) && (scopes.isEmpty || covers(topic))
    }

    /// - Throws: `forbidden`, which says what the token may and how to get one that may this.
    public func checkPublish(to topic: Topic) throws(BelfryError) {
        guard !mayPublish(to: topic) else { return }
        if role == .publisher, scopes.isEmpty {
            throw BelfryError(
                .forbidden,
                "the token \(name) has no scopes, so it may publish nothing; revoke it and make one with "
                    + "belfry tokens create NAME --role publisher --scope \(topic)",
                details: ["topic": .string(topic.description)]
            )
        }
        throw refusal("publish to", topic)
    }

    /// - Throws: `forbidden`, which says what the token may.
    public func checkSubscribe(to topic: Topic) throws(BelfryError) {
        guard maySubscribe(to: topic) else { throw refusal("see", topic) }
    }

    /// The scope of a text, as it is stored; nil for what is none.
    public static func scope(_ text: String) -> String? {
        text == Self.everyCustom ? text : Topic(text)?.description
    }

    private static let everyCustom = "custom/*"

    private var mayPublishAtAll: Bool { role == .publisher || role.includes(.operator) }

    private func covers(_ topic: Topic) -> Bool {
        if scopes.contains(topic.description) { return true }
        return switch topic {
        case .run: scopes.contains(Topic.everyRun.description)
        case .source: scopes.contains(Topic.everySource.description)
        case .custom: scopes.contains(Self.everyCustom)
        default: false
        }
    }

    private func refusal(_ verb: String, _ topic: Topic) -> BelfryError {
        let held = scopes.isEmpty ? "" : " and the scopes \(scopes.joined(separator: ", "))"
        return BelfryError(
            .forbidden, "the token \(name) may not \(verb) \(topic); it has the role \(role.rawValue)\(held)",
            details: ["topic": .string(topic.description), "scopes": .array(scopes.map(JSONValue.string))]
        )
    }
}
