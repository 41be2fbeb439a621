import BelfryCore
import BelfrySources

/// A source, its secrets and the time: what a test sends deliveries to.
struct SourceFixture {
    var source: SourceDefinition
    var secrets: [NamedSecret]
    var now = Timestamp(seconds: 1_700_000_000)

    init(_ preset: Preset, secrets: [String] = ["s3cret"], _ change: (inout SourceDefinition) -> Void = { _ in }) {
        source = SourceDefinition(name: "plant", preset: preset)
        change(&source)
        self.secrets = secrets.enumerated().map { NamedSecret(name: "env:S\($0.offset)", secret: Secret($0.element)) }
    }

    func delivery(
        _ body: [UInt8], _ headers: [(name: String, value: String)], isLoopback: Bool = false, method: String = "POST"
    ) -> Delivery {
        Delivery(
            method: method, headers: HeaderFields(headers), body: body, remote: "192.0.2.7", isLoopback: isLoopback,
            received: now
        )
    }

    func judge(_ body: String, _ headers: [(name: String, value: String)], isLoopback: Bool = false) -> Verdict {
        source.judge(delivery(Array(body.utf8), headers, isLoopback: isLoopback), secrets: secrets)
    }

    /// Judges a delivery signed with the secret at `index`, after `change` had its way with it.
    func judgeSigned(
        _ body: String, _ headers: [(name: String, value: String)] = [("Content-Type", "application/json")],
        id: String = "d-1", secret index: Int = 0, sentAt: Timestamp? = nil, isLoopback: Bool = false,
        _ change: (inout [UInt8], inout [(name: String, value: String)]) -> Void = { _, _ in }
    ) -> Verdict {
        var body = Array(body.utf8)
        let secret = secrets.indices.contains(index) ? secrets[index].secret : nil
        var all = headers
        all += DeliverySigner.headers(for: source, secret: secret, body: body, id: id, now: sentAt ?? now)
        change(&body, &all)
        return source.judge(delivery(body, all, isLoopback: isLoopback), secrets: secrets)
    }
}

extension Verdict {
    var events: [IncomingEvent] {
        if case .accepted(_, let events) = self { events } else { [] }
    }

    /// The event, if it is the only one.
    var event: IncomingEvent? { events.count == 1 ? events[0] : nil }

    var verifiedBy: String? {
        if case .accepted(let name, _) = self { name } else { nil }
    }

    var error: BelfryError? {
        if case .refused(let error) = self { error } else { nil }
    }

    /// The code of the refusal, or nil.
    var code: String? { error?.code.rawValue }
}

extension [(name: String, value: String)] {
    mutating func remove(_ name: String) { removeAll { $0.name.lowercased() == name } }

    mutating func set(_ name: String, _ value: String) {
        remove(name)
        append((name, value))
    }
}
