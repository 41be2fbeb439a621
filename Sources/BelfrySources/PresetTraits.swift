import BelfryCore

/// A sender's conventions: one row of the preset table. A new preset is a row, a file that holds it, and its tests.
struct PresetTraits: Sendable {
    /// How deliveries are verified; the source may configure it.
    var scheme: @Sendable (SourceDefinition) -> any VerificationScheme
    /// The kinds of bodies that it can read; all are taken unless the source says otherwise.
    var accepts: [BodyKind] = [.json]
    /// Whether a request is in a format of the preset's own, which may carry data of any type.
    var isEnvelope: @Sendable (HeaderFields) -> Bool = { _ in false }
    /// Header names, lower case, that the event keeps.
    var keptHeaders: [String]
    /// Answers a request that is no delivery before anything is verified (a CORS-like OPTIONS handshake).
    var preflight: (@Sendable (Delivery) -> Verdict?)?
    /// Reads what a verified delivery says.
    var normalise: @Sendable (VerifiedDelivery) throws(BelfryError) -> Reading
    /// How an accepted or duplicate delivery is answered, where the sender wants something else than the hub's JSON.
    var answer: @Sendable (Delivery) -> DeliveryAnswer? = { _ in nil }
    /// How the sender is set up, line by line.
    var setUp: @Sendable (SetUp) -> [String]
    /// Headers that a sender of this preset puts on a delivery beside the ones that verify it.
    var sentHeaders: @Sendable (_ id: String) -> [(name: String, value: String)] = { _ in [] }

    /// What a verified delivery turns out to be.
    enum Reading {
        case events([IncomingEvent])
        /// A handshake that is signed like a delivery.
        case answer(DeliveryAnswer)
    }
}

extension Preset {
    /// The table.
    var traits: PresetTraits {
        switch self {
        case .github: .github
        case .gitlab: .gitlab
        case .stripe: .stripe
        case .slack: .slack
        case .standardWebhooks: .standardWebhooks
        case .svix: .svix
        case .grafana: .grafana
        case .alertmanager: .alertmanager
        case .cloudevents: .cloudevents
        case .sensor: .sensor
        case .hmac: .hmac
        case .token: .token
        case .none: .none
        }
    }
}
