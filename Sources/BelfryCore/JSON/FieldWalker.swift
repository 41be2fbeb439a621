/// Gathers the fields at wanted paths: in one pass over JSON text, which is checked on the way, or from a tree.
///
/// What no path wants is skipped. A walk never decides which of two members of one path counts: it says that the
/// event is unusual (``FieldList/isUnusual``), and leaves that to the definition.
package struct FieldWalker: Sendable {
    private let tree: KeyTree

    package init(_ tree: KeyTree) { self.tree = tree }

    /// Walks an event that is an object; anything else has no fields.
    package func walk(
        _ text: UnsafeBufferPointer<UInt8>, depthMax: Int = Limits.jsonDepthMax, into list: inout FieldList
    ) throws(JSONError) {
        try JSONScanner.scanDocument(text) { scanner throws(JSONError) in
            guard scanner.peek == UInt8(ascii: "{") else { return try scanner.skipValue(depthLeft: depthMax) }
            try object(&scanner, at: KeyTree.root, in: 0, depthLeft: depthMax, &list)
        }
    }

    /// Walks text that is the value at a node.
    package func walk(
        _ text: UnsafeBufferPointer<UInt8>, at node: KeyTree.Node, into list: inout FieldList
    ) throws(JSONError) {
        try JSONScanner.scanDocument(text) { scanner throws(JSONError) in
            try value(&scanner, at: node, in: 0, depthLeft: Limits.jsonDepthMax, &list)
        }
    }

    // MARK: Text

    private func object(
        _ scanner: inout JSONScanner, at node: KeyTree.Node, in place: Int32, depthLeft: Int, _ list: inout FieldList
    ) throws(JSONError) {
        guard try scanner.enterObject(depthLeft: depthLeft) else { return }
        let object = list.beginObject()
        repeat {
            let key = try scanner.scanKey()
            let child = child(of: node, under: key, in: scanner, &list)
            guard child != KeyTree.none else {
                try scanner.skipValue(depthLeft: depthLeft - 1)
                continue
            }
            list.meet(child, in: object)
            try value(&scanner, at: child, in: place, depthLeft: depthLeft - 1, &list)
        } while try scanner.nextMember()
    }

    @inline(__always)
    private func child(
        of node: KeyTree.Node, under key: JSONScanner.StringSpan, in scanner: JSONScanner, _ list: inout FieldList
    ) -> KeyTree.Node {
        let bytes = UnsafeBufferPointer(rebasing: scanner.bytes[key.range])
        guard !key.hasEscapes else {
            var text = scanner.text(of: key)
            return text.withUTF8 { bytes in self.child(of: node, bytes, &list) }
        }
        return child(of: node, bytes, &list)
    }

    @inline(__always)
    private func child(
        of node: KeyTree.Node, _ key: UnsafeBufferPointer<UInt8>, _ list: inout FieldList
    ) -> KeyTree.Node {
        let child = tree.child(of: node, key)
        // A key with dots is the same as nesting. No key of the tree has one.
        if child == KeyTree.none, tree.descendant(of: node, dotted: key) != KeyTree.none {
            list.isUnusual = true
        }
        return child
    }

    private func value(
        _ scanner: inout JSONScanner, at node: KeyTree.Node, in place: Int32, depthLeft: Int, _ list: inout FieldList
    ) throws(JSONError) {
        switch scanner.peek {
        case UInt8(ascii: "{"): try object(&scanner, at: node, in: place, depthLeft: depthLeft, &list)
        case UInt8(ascii: "["): try array(&scanner, at: node, in: place, depthLeft: depthLeft, &list)
        default:
            let start = scanner.offset
            let scalar = try scanner.scanScalar()
            let leaf = tree.nodes[Int(node)].leaf
            guard leaf != KeyTree.none else { return }
            switch scalar {
            case .null: list.add(leaf, .null, start..<start, at: place, isCopy: false)
            case .bool(let isTrue): list.add(leaf, isTrue ? .isTrue : .isFalse, start..<start, at: place, isCopy: false)
            case .number(let range): list.add(leaf, .number, range, at: place, isCopy: false)
            case .string(let span) where span.hasEscapes:
                list.add(leaf, .string, copying: scanner.text(of: span).utf8, at: place)
            case .string(let span): list.add(leaf, .string, span.range, at: place, isCopy: false)
            }
        }
    }

    private func array(
        _ scanner: inout JSONScanner, at node: KeyTree.Node, in place: Int32, depthLeft: Int, _ list: inout FieldList
    ) throws(JSONError) {
        guard try scanner.enterArray(depthLeft: depthLeft) else { return }
        let array = list.addArray(at: node)
        var index: Int32 = 0
        repeat {
            var inner = place
            if scanner.peek == UInt8(ascii: "{") || scanner.peek == UInt8(ascii: "[") {
                inner = list.addPlace(in: array, index: index, parent: place)
            }
            try value(&scanner, at: node, in: inner, depthLeft: depthLeft - 1, &list)
            index += 1
        } while try scanner.nextElement()
    }

    // MARK: Trees

    /// Walks the value at a node.
    package func walk(_ value: JSONValue, at node: KeyTree.Node, in place: Int32 = 0, into list: inout FieldList) {
        switch value {
        case .object(let object):
            let number = list.beginObject()
            for member in object.members {
                var key = member.key
                let child = key.withUTF8 { bytes in self.child(of: node, bytes, &list) }
                guard child != KeyTree.none else { continue }
                list.meet(child, in: number)
                walk(member.value, at: child, in: place, into: &list)
            }
        case .array(let elements):
            let array = list.addArray(at: node)
            for (index, element) in elements.enumerated() {
                var inner = place
                switch element {
                case .array, .object:
                    inner = list.addPlace(in: array, index: Int32(truncatingIfNeeded: index), parent: place)
                default: break
                }
                walk(element, at: node, in: inner, into: &list)
            }
        default:
            let leaf = tree.nodes[Int(node)].leaf
            if leaf != KeyTree.none { list.add(leaf, scalar: value, at: place) }
        }
    }
}
