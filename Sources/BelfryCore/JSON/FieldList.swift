/// A scalar that stands at a wanted path.
package struct WalkedField: Sendable {
    package enum Kind: UInt8, Sendable { case null, isFalse, isTrue, number, string }

    /// The number of its path (``KeyTree/leaf(of:)``).
    package var leaf: Int32
    /// Where it stands in arrays (``FieldList/places``); 0: in none.
    package var place: Int32
    /// Its bytes: a number's literal, a string's text without quotes and escapes. Where: ``isCopy``.
    package var start: Int32
    package var end: Int32
    /// The field of the same path before it; -1: none.
    package var previous: Int32
    package var kind: Kind
    /// Whether the bytes are in the list, not in the text that was walked.
    package var isCopy: Bool
}

/// The wanted fields of one event. Made once and filled again and again, so that a walk allocates nothing.
///
/// Offsets are 32-bit numbers: no text of ``bytesMax`` or more is walked.
package struct FieldList: Sendable {
    /// An element of an array that fields are inside of; an element that is a scalar itself has none.
    package struct Place: Sendable {
        /// The element around; -1 for place 0, which is outside of all arrays. Always a smaller number.
        package var parent: Int32
        /// Arrays are numbered in the order in which they begin.
        package var array: Int32
        package var index: Int32
    }

    package static let bytesMax = Int(Int32.max)

    package private(set) var fields: [WalkedField] = []
    package private(set) var places: [Place] = [Place(parent: -1, array: -1, index: 0)]
    /// The node of the path of each array.
    package private(set) var arrays: [KeyTree.Node] = []
    /// Bytes of fields that do not stand in the walked text as they are.
    package private(set) var copies: [UInt8] = []
    /// A wanted path is met twice in an object, as a key that is repeated or that holds dots: which one counts, only a
    /// tree of the event tells (``FieldWalker`` does not). The fields are not to be used.
    package internal(set) var isUnusual = false
    /// As `EventFields.hasAmbiguousKeys`; only of fields that came from a tree.
    package var hasAmbiguousKeys = false

    /// Of each path; valid where the stamp is the walk's.
    private struct PathNote {
        var walk: UInt32 = 0
        var lastField: Int32 = -1
        var hasFieldOutsideArrays = false
    }

    private var paths: [PathNote] = []
    /// In which object a node was met last, to know a key that is repeated.
    private var seen: [UInt32] = []
    private var walk: UInt32 = 0
    private var objects: UInt32 = 0

    package init() {}

    /// Forgets what was gathered, and makes room for the paths of a tree.
    package mutating func begin(_ tree: KeyTree) {
        fields.removeAll(keepingCapacity: true)
        places.removeLast(places.count - 1)
        arrays.removeAll(keepingCapacity: true)
        copies.removeAll(keepingCapacity: true)
        isUnusual = false
        hasAmbiguousKeys = false
        if walk == .max || objects > .max / 2 || paths.count != tree.leafCount || seen.count != tree.nodeCount {
            paths = Array(repeating: PathNote(), count: tree.leafCount)
            seen = Array(repeating: 0, count: tree.nodeCount)
            walk = 0
            objects = 0
        }
        walk += 1
    }

    /// Whether what it holds on to is more than most events need: then it is better let go than kept.
    package var isLarge: Bool { fields.capacity + places.capacity + arrays.capacity + copies.capacity > 1 << 18 }

    /// The last field of a path; -1: there is none.
    @inline(__always)
    package func lastField(of leaf: Int32) -> Int32 {
        let note = paths[Int(leaf)]
        return note.walk == walk ? note.lastField : -1
    }

    /// Whether one of the fields of a path stands outside of all arrays.
    @inline(__always)
    package func hasFieldOutsideArrays(of leaf: Int32) -> Bool {
        let note = paths[Int(leaf)]
        return note.walk == walk && note.hasFieldOutsideArrays
    }

    // MARK: Filling

    @inline(__always)
    mutating func add(_ leaf: Int32, _ kind: WalkedField.Kind, _ range: Range<Int>, at place: Int32, isCopy: Bool) {
        let previous = lastField(of: leaf)
        let isOutside = place == 0 || hasFieldOutsideArrays(of: leaf)
        paths[Int(leaf)] = PathNote(
            walk: walk, lastField: Int32(truncatingIfNeeded: fields.count), hasFieldOutsideArrays: isOutside)
        fields.append(
            WalkedField(
                leaf: leaf, place: place, start: Int32(truncatingIfNeeded: range.lowerBound),
                end: Int32(truncatingIfNeeded: range.upperBound), previous: previous, kind: kind, isCopy: isCopy
            )
        )
    }

    /// Adds a field whose bytes are not in the walked text.
    package mutating func add(
        _ leaf: Int32, _ kind: WalkedField.Kind, copying bytes: some Sequence<UInt8>, at place: Int32
    ) {
        let start = copies.count
        copies.append(contentsOf: bytes)
        add(leaf, kind, start..<copies.count, at: place, isCopy: true)
    }

    /// Adds a scalar of a tree.
    package mutating func add(_ leaf: Int32, scalar value: JSONValue, at place: Int32) {
        switch value {
        case .null: add(leaf, .null, copying: [], at: place)
        case .bool(let isTrue): add(leaf, isTrue ? .isTrue : .isFalse, copying: [], at: place)
        case .number(let number): add(leaf, .number, copying: number.text.utf8, at: place)
        case .string(let text): add(leaf, .string, copying: text.utf8, at: place)
        case .array, .object: break
        }
    }

    /// - Returns: The array's number.
    package mutating func addArray(at node: KeyTree.Node) -> Int32 {
        arrays.append(node)
        return Int32(truncatingIfNeeded: arrays.count - 1)
    }

    package mutating func addPlace(in array: Int32, index: Int32, parent: Int32) -> Int32 {
        places.append(Place(parent: parent, array: array, index: index))
        return Int32(truncatingIfNeeded: places.count - 1)
    }

    /// A number for an object, by which ``meet(_:in:)`` knows it.
    mutating func beginObject() -> UInt32 {
        objects += 1
        return objects
    }

    /// Notes that an object has a member that leads to a node.
    @inline(__always)
    mutating func meet(_ node: KeyTree.Node, in object: UInt32) {
        if seen[Int(node)] == object { isUnusual = true }
        seen[Int(node)] = object
    }
}
