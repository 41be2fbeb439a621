public import BelfryCore

/// The numbers of a payload in its shape, without anything else; and the least and greatest of many.
///
/// Bounded in count, depth and the length of keys. Lists are left out: their elements have no names to be compared by.
public struct GroupNumbers: Sendable {
    public private(set) var members = JSONObject()
    private var count = 0

    /// - Parameter data: a payload, or what was kept of others.
    public init(of data: JSONValue) {
        guard case .object(let object) = data else { return }
        members = pick(object, depthLeft: Limits.groupNumberDepthMax)
    }

    private mutating func pick(_ object: JSONObject, depthLeft: Int) -> JSONObject {
        var picked = JSONObject()
        guard depthLeft > 0 else { return picked }
        for member in object.members where member.key.utf8.count <= Limits.groupNumberKeyBytesMax {
            if count >= Limits.groupNumbersMax { break }
            switch member.value {
            case .number(let number) where number.text.utf8.count <= Limits.groupNumberTextBytesMax:
                if picked[member.key] == nil { count += 1 }
                picked[member.key] = .number(number)
            case .object(let inner):
                let inner = pick(inner, depthLeft: depthLeft - 1)
                if !inner.isEmpty { picked[member.key] = .object(inner) }
            default: break
            }
        }
        return picked
    }

    /// The lesser, or the greater, of each number; numbers that only one has are kept while there is room.
    public mutating func merge(_ other: GroupNumbers, keepsGreater: Bool) {
        members = merged(members, other.members, keepsGreater: keepsGreater)
    }

    private mutating func merged(_ mine: JSONObject, _ others: JSONObject, keepsGreater: Bool) -> JSONObject {
        var result = mine
        for member in others.members {
            switch (result[member.key], member.value) {
            case (.number(let known)?, .number(let new)):
                if keepsGreater ? known.isLess(than: new) : new.isLess(than: known) {
                    result[member.key] = member.value
                }
            case (.object(let known)?, .object(let new)):
                result[member.key] = .object(merged(known, new, keepsGreater: keepsGreater))
            case (nil, .number):
                guard count < Limits.groupNumbersMax else { continue }
                count += 1
                result[member.key] = member.value
            case (nil, .object(let new)):
                let new = merged(JSONObject(), new, keepsGreater: keepsGreater)
                if !new.isEmpty { result[member.key] = .object(new) }
            default: break
            }
        }
        return result
    }
}
