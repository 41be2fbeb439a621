extension JSONValue: Hashable {
    /// Byte equality of strings, literal equality of numbers; objects regardless of the order of their members, of
    /// duplicates the later only.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let elements): hasher.combine(elements)
        case .object(let object): hasher.combine(object)
        }
    }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        let (left, right) = (left.effectiveMembers, right.effectiveMembers)
        return left.count == right.count
            && zip(left, right).allSatisfy { $0.key.hasSameBytes(as: $1.key) && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) {
        for member in effectiveMembers {
            hasher.combine(member.key)
            hasher.combine(member.value)
        }
    }

    /// The members sorted by the bytes of their keys, of duplicates the later only.
    var effectiveMembers: [Member] {
        // Sorted by key and place, so that an object of a million members is no quadratic search.
        let sorted = members.enumerated().sorted { left, right in
            left.element.key.hasSameBytes(as: right.element.key)
                ? left.offset < right.offset
                : left.element.key.utf8.lexicographicallyPrecedes(right.element.key.utf8)
        }
        var effective: [Member] = []
        effective.reserveCapacity(sorted.count)
        for (_, member) in sorted {
            if let last = effective.last, last.key.hasSameBytes(as: member.key) { effective.removeLast() }
            effective.append(member)
        }
        return effective
    }
}
