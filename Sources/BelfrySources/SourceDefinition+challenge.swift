import BelfryCore
import BelfryCrypto

extension SourceDefinition {
    /// The answer to a sender that asks by GET whether this is its receiver: the parameter's value, as it came. Nil for
    /// other requests and where the source has no `challenge`.
    ///
    /// Throws `forbidden` for a wrong token. Nothing that a page or a terminal could take for more than a line of text
    /// is given back.
    func answer(toChallenge delivery: Delivery, secrets: [NamedSecret]) throws(BelfryError) -> DeliveryAnswer? {
        guard delivery.method == "GET", let challenge else { return nil }
        // A source that verifies nothing answers only where it takes deliveries.
        if preset == .none { _ = try verify(delivery, secrets: secrets) }
        if let parameter = challenge.tokenParameter {
            let token = Array(try delivery.theOnly(parameter).utf8)
            let isKnown = secrets.contains {
                !$0.secret.bytes.isEmpty && ConstantTime.areEqual($0.secret.bytes, token)
            }
            guard isKnown else {
                throw BelfryError(.forbidden, "the parameter \(parameter) is none of the source's active secrets")
            }
        }
        let value = try delivery.theOnly(challenge.parameter)
        guard value.utf8.count <= Limits.challengeBytesMax else {
            throw BelfryError(
                .malformed, "the parameter \(challenge.parameter) has more than \(Limits.challengeBytesMax) bytes")
        }
        guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw BelfryError(.malformed, "the parameter \(challenge.parameter) holds a control character")
        }
        return .text(value)
    }
}

extension Delivery {
    /// The value of a parameter that must stand there once.
    fileprivate func theOnly(_ name: String) throws(BelfryError) -> String {
        let values = query.filter { $0.name.hasSameBytes(as: name) }.map(\.value)
        guard let value = values.first, values.count == 1, !value.isEmpty else {
            throw BelfryError(
                values.isEmpty ? .missingAttribute : .malformed,
                "the parameter \(name) must stand there once, with a value"
            )
        }
        return value
    }
}
