import BelfryCore

/// An event as patterns look at it: its scalar values by their paths, each with its place in the arrays around it.
///
/// Only paths that some pattern asks for are walked. Of duplicate keys the later one counts.
struct EventFields {
    /// A scalar and where it stands.
    struct Field {
        var value: JSONValue
        var place: Place
    }

    /// The elements of arrays that a value is inside of: pairs of array and index, outermost array first.
    ///
    /// An element that is a scalar itself is not inside: `tags: [a, b]` has both values in the same place, so that two
    /// conditions on `tags` need no common element. Arrays are numbered in the order in which they begin.
    typealias Place = [UInt64]

    private(set) var fields: [FieldPath: [Field]] = [:]
    /// The path of each array, by its number.
    private(set) var arrayPaths: [FieldPath] = []
    /// Whether some path leads to two places of one object (`{"a.b": …, "a": {"b": …}}`). Then arrays that stand side by
    /// side can have one path.
    private(set) var hasAmbiguousKeys = false

    /// - Parameter wanted: the paths that are asked for, and all their prefixes; nil for every path of the event.
    init(_ event: JSONValue, wanted: Set<FieldPath>?) { self.init(event) { wanted?.contains($0) ?? true } }

    /// - Parameter isWanted: says of a path whether it or one that begins with it is asked for.
    init(_ event: JSONValue, where isWanted: (FieldPath) -> Bool) {
        guard case .object(let object) = event else { return }
        var place: Place = []
        walk(object, at: .root, isRoot: true, place: &place, isWanted)
    }

    /// The number of the array that a pair of a place belongs to.
    static func array(of pair: UInt64) -> Int { Int(pair >> 32) }

    /// A place as a person writes it: `data.commits[2]`; empty outside of arrays.
    func text(of place: Place) -> String {
        var text = ""
        var written = 0
        for pair in place {
            let path = arrayPaths[Self.array(of: pair)].bytes
            text += String(decoding: path.dropFirst(written), as: UTF8.self) + "[\(pair & 0xFFFF_FFFF)]"
            written = path.count
        }
        return text
    }

    private mutating func walk(
        _ object: JSONObject, at path: FieldPath, isRoot: Bool, place: inout Place, _ isWanted: (FieldPath) -> Bool
    ) {
        var lastIndex: [FieldPath: Int] = [:]
        var members: [(path: FieldPath, value: JSONValue)] = []
        var dotted: [FieldPath] = []
        for member in object.members {
            let memberPath = path.appending(member.key, isRoot: isRoot)
            guard isWanted(memberPath) else { continue }
            if member.key.utf8.contains(UInt8(ascii: ".")) { dotted.append(memberPath) }
            if let index = lastIndex[memberPath] {
                members[index] = (memberPath, member.value)
            } else {
                lastIndex[memberPath] = members.count
                members.append((memberPath, member.value))
            }
        }
        if dotted.contains(where: { $0.prefixes.dropLast().contains { lastIndex[$0] != nil } }) {
            hasAmbiguousKeys = true
        }
        for member in members {
            add(member.value, at: member.path, place: &place, isWanted)
        }
    }

    private mutating func add(
        _ value: JSONValue, at path: FieldPath, place: inout Place, _ isWanted: (FieldPath) -> Bool
    ) {
        switch value {
        case .object(let object): walk(object, at: path, isRoot: false, place: &place, isWanted)
        case .array(let elements): walk(elements, at: path, place: &place, isWanted)
        default: fields[path, default: []].append(Field(value: value, place: place))
        }
    }

    private mutating func walk(
        _ elements: [JSONValue], at path: FieldPath, place: inout Place, _ isWanted: (FieldPath) -> Bool
    ) {
        let array = UInt64(arrayPaths.count)
        arrayPaths.append(path)
        for (index, element) in elements.enumerated() {
            switch element {
            case .object, .array:
                place.append(array << 32 | UInt64(index))
                add(element, at: path, place: &place, isWanted)
                place.removeLast()
            default:
                fields[path, default: []].append(Field(value: element, place: place))
            }
        }
    }
}
