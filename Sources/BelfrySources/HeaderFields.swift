import BelfryCore

/// The header fields of a request, in their order; names compare without case (RFC 9110, section 5.1).
public struct HeaderFields: Sendable {
    /// Lower-case names and values as they came.
    public let fields: [(name: String, value: String)]

    /// - Parameter isKept: says of a lower-case name and its value whether it stays.
    public init(
        _ fields: [(name: String, value: String)],
        where isKept: (_ name: String, _ value: String) -> Bool = { _, _ in true }
    ) {
        self.fields = fields.compactMap { name, value in
            let isLower = name.utf8.allSatisfy { !(0x41...0x5A).contains($0) }
            let name = isLower ? name : name.lowercased()
            return isKept(name, value) ? (name, value) : nil
        }
    }

    /// The first value of a field. The name must be lower case.
    public subscript(_ lowerCaseName: String) -> String? {
        fields.first { $0.name.hasSameBytes(as: lowerCaseName) }?.value
    }

    /// All values of a field, in their order. The name must be lower case.
    public func values(_ lowerCaseName: String) -> [String] {
        fields.compactMap { $0.name.hasSameBytes(as: lowerCaseName) ? $0.value : nil }
    }
}

extension HeaderFields {
    /// The value of a field that must stand there once: of two, sender and verifier could each read another.
    func theOnly(
        _ lowerCaseName: String, orRefuse missing: BelfryError.Code, _ repeated: BelfryError.Code, hint: String = ""
    ) throws(BelfryError) -> String {
        let values = values(lowerCaseName)
        guard let value = values.first, !value.isEmpty else {
            throw BelfryError(missing, "the header \(lowerCaseName) is missing" + hint)
        }
        guard values.count == 1 else {
            throw BelfryError(repeated, "the header \(lowerCaseName) stands there \(values.count) times")
        }
        return value
    }
}
