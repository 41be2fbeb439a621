/// Paths that are looked for in JSON text, as a tree of keys.
///
/// It is built once, or copied and grown, and then only read. All nodes lie in one array and all keys in another, so that
/// a walk follows numbers and counts no references. For nearly every key that nobody wants, one test of a word says so.
package struct KeyTree: Sendable {
    /// The number of a place that some path leads to or through.
    package typealias Node = Int32
    package static let root: Node = 0
    package static let none: Node = -1

    struct NodeFacts: Sendable {
        /// One bit for each class of child keys (``keyClass(_:)``).
        var filter: UInt64 = 0
        /// One bit for each first byte of child keys (``firstClass(_:)``): a key with dots begins with a child's.
        var firsts: UInt64 = 0
        /// The number of the path that ends here, or ``KeyTree/none``.
        var leaf: Int32 = KeyTree.none
        var parent: Node = KeyTree.none
    }

    private struct Slot: Sendable {
        var parent: Node = KeyTree.none
        /// ``KeyTree/root``: the slot is free, for the root is nobody's child.
        var child: Node = KeyTree.root
        var start: Int32 = 0
        var count: Int32 = 0
    }

    private(set) var nodes: [NodeFacts] = [NodeFacts()]
    /// Open addressing, by parent and key; at most half full.
    private var slots = [Slot](repeating: Slot(), count: 16)
    private var keys: [UInt8] = []
    /// The node of each path.
    private var leaves: [Node] = []

    package init() {}

    package var nodeCount: Int { nodes.count }
    package var leafCount: Int { leaves.count }

    /// Bytes that the tree takes.
    package var byteCount: Int {
        nodes.capacity * MemoryLayout<NodeFacts>.stride + slots.capacity * MemoryLayout<Slot>.stride + keys.capacity
            + leaves.capacity * MemoryLayout<Node>.stride
    }

    /// The number of a path, which is added if it is not there. Paths count from 0 in the order they were added.
    package mutating func leaf(of path: some Sequence<some Collection<UInt8>>) -> Int32 {
        var node = Self.root
        for key in path { node = insert(Array(key), below: node) }
        if nodes[Int(node)].leaf == Self.none {
            nodes[Int(node)].leaf = Int32(leaves.count)
            leaves.append(node)
        }
        return nodes[Int(node)].leaf
    }

    /// The node of a path given as keys joined with dots, or ``none``.
    package func node(of path: UnsafeBufferPointer<UInt8>) -> Node { searchParts(Self.root, path) }

    /// The number of the path that ends at a node, or ``none``.
    package func leaf(at node: Node) -> Int32 { nodes[Int(node)].leaf }

    /// Where a path ends.
    package func node(ofLeaf leaf: Int32) -> Node { leaves[Int(leaf)] }

    /// The node above; ``none`` above the root.
    package func parent(of node: Node) -> Node { nodes[Int(node)].parent }

    /// Whether a path leads to or through `ancestor` on its way to `node`, or ends there.
    package func isOnPath(_ ancestor: Node, to node: Node) -> Bool {
        var node = node
        // Children are younger than their parents.
        while node > ancestor { node = nodes[Int(node)].parent }
        return node == ancestor
    }

    private mutating func insert(_ key: [UInt8], below parent: Node) -> Node {
        let found = key.withUnsafeBufferPointer { child(of: parent, $0) }
        if found != Self.none { return found }
        let node = Node(nodes.count)
        nodes.append(NodeFacts(parent: parent))
        let start = keys.count
        keys.append(contentsOf: key)
        key.withUnsafeBufferPointer { nodes[Int(parent)].filter |= 1 << Self.keyClass($0) }
        nodes[Int(parent)].firsts |= 1 << Self.firstClass(key.first ?? UInt8(ascii: "."))
        if nodes.count * 2 > slots.count { grow() }
        place(Slot(parent: parent, child: node, start: Int32(start), count: Int32(key.count)))
        return node
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.child != Self.root { place(slot) }
    }

    private mutating func place(_ slot: Slot) {
        let hash = keys[Int(slot.start)..<Int(slot.start + slot.count)].withUnsafeBufferPointer {
            Self.hash(slot.parent, $0)
        }
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].child != Self.root { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    // MARK: Looking up

    /// The child under a key, or ``none``.
    @inline(__always)
    package func child(of parent: Node, _ key: UnsafeBufferPointer<UInt8>) -> Node {
        guard nodes[Int(parent)].filter >> Self.keyClass(key) & 1 != 0 else { return Self.none }
        return search(parent, key)
    }

    /// The node that a key with dots leads to, taken apart at the dots, or ``none``.
    @inline(__always)
    package func descendant(of parent: Node, dotted key: UnsafeBufferPointer<UInt8>) -> Node {
        guard !key.isEmpty, nodes[Int(parent)].firsts >> Self.firstClass(key[0]) & 1 != 0,
            key.contains(UInt8(ascii: "."))
        else { return Self.none }
        return searchParts(parent, key)
    }

    private func searchParts(_ parent: Node, _ key: UnsafeBufferPointer<UInt8>) -> Node {
        var node = parent
        for part in key.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            node = child(of: node, UnsafeBufferPointer(rebasing: part))
            if node == Self.none { break }
        }
        return node
    }

    private func search(_ parent: Node, _ key: UnsafeBufferPointer<UInt8>) -> Node {
        var index = Int(truncatingIfNeeded: Self.hash(parent, key)) & (slots.count - 1)
        while slots[index].child != Self.root {
            let slot = slots[index]
            if slot.parent == parent, Int(slot.count) == key.count, holds(slot, key) { return slot.child }
            index = (index + 1) & (slots.count - 1)
        }
        return Self.none
    }

    private func holds(_ slot: Slot, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = Int(slot.start)
        for index in 0..<key.count where keys[start + index] != key[index] { return false }
        return true
    }

    @inline(__always)
    private static func keyClass(_ key: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let first = key.isEmpty ? 0 : key[0]
        return UInt64(truncatingIfNeeded: Int(first) &+ key.count &* 11) & 63
    }

    @inline(__always)
    private static func firstClass(_ byte: UInt8) -> UInt64 { UInt64(byte & 63) }

    /// Of the length, the first and the last eight bytes. The keys in the table come from rules, not from senders, who
    /// therefore can't fill it with collisions.
    private static func hash(_ parent: Node, _ key: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var head: UInt64 = 0
        var tail: UInt64 = 0
        for index in 0..<min(8, key.count) { head = head << 8 | UInt64(key[index]) }
        for index in max(0, key.count - 8)..<key.count { tail = tail << 8 | UInt64(key[index]) }
        var hash = (head ^ UInt64(truncatingIfNeeded: parent)) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ hash >> 32 ^ tail &+ UInt64(key.count)) &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 32
    }
}
