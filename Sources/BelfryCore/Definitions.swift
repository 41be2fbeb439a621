/// How the deliveries of a source are verified, identified and normalised. WIRE conventions per sender.
public enum Preset: String, Sendable, Hashable, CaseIterable {
    case github
    case gitlab
    case stripe
    case slack
    case standardWebhooks = "standard-webhooks"
    case svix
    case grafana
    case alertmanager
    case cloudevents
    case sensor
    case hmac
    case token
    case none
}

/// A source as its document says it.
public struct SourceDefinition: Sendable, Hashable {
    public var name: String
    public var about: String?
    public var preset: Preset
    /// Active at the same time, so that a secret can be rotated without losing a delivery.
    public var secrets: [SecretReference]
    /// Largest body that is read, in bytes.
    public var bodyBytesMax: Int = Limits.deliveryBodyBytesMax
    /// How far a signed timestamp may be from now, to either side.
    public var tolerance: Duration = .seconds(300)
    /// Header names, lower case, kept beside the preset's own.
    public var keepHeaders: [String] = []
    /// For `hmac` and `sensor`; for `grafana` the names of its headers.
    public var signature: SignatureSettings?
    /// For `token`, `sensor` and `cloudevents`: the header that carries the token as it is; nil means `Authorization` (Bearer or Basic).
    public var tokenHeader: String?
    /// For `hmac`, `token`, `none`: `header.X` or `body.path`, the first that is there is the key.
    public var identity: [String] = []
    /// For `hmac`, `token`, `none`: where the event's type and subject stand, like ``identity``.
    public var typePath: String?
    public var subjectPath: String?
    /// Recognise repeated bodies within this window when there is no key.
    public var bodyDedupeWindow: Duration?
    /// Refuse a body already seen under another, unsigned key (`dedupe: {also: body}`).
    public var refusesSameBody = false
    /// The kinds of bodies that are taken; nil: those of the preset.
    public var accepts: [BodyKind]?
    /// What is taken out of every event, after its key, type and subject are read and before it is matched or stored.
    public var redact: [EventPath] = []
    /// For `hmac`, `token`, `none`: the answer to deliveries that are taken; nil: the hub's own.
    public var respond: FixedAnswer?
    /// For `hmac`, `token`, `none`.
    public var challenge: ChallengeSettings?
    /// Answers 410: the sender may give up for good.
    public var isRetired = false

    public init(name: String, preset: Preset, secrets: [SecretReference] = []) {
        self.name = name
        self.preset = preset
        self.secrets = secrets
    }
}

/// What the `hmac` preset signs and where it finds the signature.
public struct SignatureSettings: Sendable, Hashable {
    public enum Algorithm: String, Sendable, Hashable, CaseIterable { case sha1, sha256, sha512 }
    public enum Encoding: String, Sendable, Hashable, CaseIterable { case hex, base64 }

    public var header: String
    public var prefix = ""
    public var algorithm = Algorithm.sha256
    public var encoding = Encoding.hex
    /// `{timestamp}`, `{id}` and `{body}` stand for the parts; the rest is literal.
    public var content = "{body}"
    public var timestampHeader: String?
    public var idHeader: String?

    public init(header: String) { self.header = header }

    /// What Grafana signs: the body, or with a timestamp header `timestamp:body`; bare hex.
    public static func grafana(
        header: String = "X-Grafana-Alerting-Signature", timestampHeader: String? = nil
    ) -> SignatureSettings {
        var settings = SignatureSettings(header: header)
        settings.timestampHeader = timestampHeader
        if timestampHeader != nil { settings.content = "{timestamp}:{body}" }
        return settings
    }
}

/// Where a secret comes from. The reference may be logged, the secret may not.
public enum SecretReference: Sendable, Hashable, CustomStringConvertible {
    /// `env:NAME`; with a question mark behind the name it may be absent.
    case environment(String, isOptional: Bool)
    /// `file:PATH`
    case file(String)
    /// `generate`: made at the first start and kept sealed in the store.
    case generated

    public init?(_ text: String) {
        if text == "generate" {
            self = .generated
        } else if text.hasPrefix("env:"), case let name = text.dropFirst(4), !name.isEmpty, name != "?" {
            self = .environment(String(name.hasSuffix("?") ? name.dropLast() : name), isOptional: name.hasSuffix("?"))
        } else if text.hasPrefix("file:"), case let path = text.dropFirst(5), !path.isEmpty {
            self = .file(String(path))
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .environment(let name, let isOptional): "env:\(name)\(isOptional ? "?" : "")"
        case .file(let path): "file:\(path)"
        case .generated: "generate"
        }
    }
}

/// A secret in memory. Neither its description nor its reflection shows it.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
    public var description: String { "<secret>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A resolved secret and the name the audit knows it by.
public struct NamedSecret: Sendable, Hashable {
    /// Its reference, with an index where there are several generated ones: `env:GITHUB_WEBHOOK_SECRET`, `generate#2`.
    public var name: String
    public var secret: Secret
    /// From when on it verifies nothing, because another took its place; nil: it does not end.
    public var expires: Timestamp?

    public init(name: String, secret: Secret, expires: Timestamp? = nil) {
        self.name = name
        self.secret = secret
        self.expires = expires
    }

    public func isActive(at time: Timestamp) -> Bool { expires.map { time < $0 } ?? true }
}

/// A field of an agent that an operator may set for a step of a live run.
public enum AdjustableField: String, Sendable, Hashable, CaseIterable {
    case temperature
    case tokensMax = "max_tokens"

    /// What is wrong with a value; nil: nothing.
    public func fault(of value: JSONValue) -> String? {
        switch self {
        case .temperature:
            if case .number(let number) = value, (0...2).contains(number.double) { return nil }
            return "must be a number from 0 to 2"
        case .tokensMax:
            if let count = value.number?.int64, (1...10_000_000).contains(count) { return nil }
            return "must be a whole number from 1 to 10000000"
        }
    }
}

/// Who a document belongs to: files are the truth for theirs, the API for its own.
public enum DocumentOwner: String, Sendable, Hashable, CaseIterable { case file, api }

/// The three kinds of documents.
public enum DocumentKind: String, Sendable, Hashable, CaseIterable { case source, agent, rule }
