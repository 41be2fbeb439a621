import BelfryCore

/// Gathers the fields of events that patterns ask for.
///
/// The usual way is one walk over the bytes. Where an event has two members of one path (a key that is repeated, a key
/// with dots beside nesting), or what should be JSON is none, it is read as a tree, and ``EventFields`` says which
/// fields there are.
struct EventMatcher: Sendable {
    let pool: ScratchPool
    private let tree: KeyTree
    private let walker: FieldWalker
    private let envelope: Envelope

    init(tree: KeyTree, pool: ScratchPool) {
        self.tree = tree
        self.pool = pool
        walker = FieldWalker(tree)
        envelope = Envelope(tree)
    }

    typealias Body<Result> = (borrowing MatchedEvent, inout MatchScratch) -> Result

    func withFields<Result>(of event: Event, _ body: Body<Result>) -> Result {
        pool.withScratch { scratch in
            event.data.bytes.withUnsafeBufferPointer { text in
                scratch.fields.begin(tree)
                envelope.add(event, walker, to: &scratch.fields)
                let isWalked = isWalked(text, at: envelope.data, &scratch.fields)
                return finish(text, isWalked: isWalked, &scratch, body) { event.value }
            }
        }
    }

    func withFields<Result>(of json: RawJSON, _ body: Body<Result>) -> Result {
        pool.withScratch { scratch in
            json.bytes.withUnsafeBufferPointer { text in
                scratch.fields.begin(tree)
                let isWalked = isWalked(text, at: KeyTree.root, &scratch.fields)
                return finish(text, isWalked: isWalked, &scratch, body) { json.value }
            }
        }
    }

    func withFields<Result>(of event: JSONValue, _ body: Body<Result>) -> Result {
        pool.withScratch { scratch in
            scratch.fields.begin(tree)
            if case .object = event { walker.walk(event, at: KeyTree.root, into: &scratch.fields) }
            let noText = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
            return finish(noText, isWalked: true, &scratch, body) { event }
        }
    }

    /// False: the text is no JSON, or too long to be walked.
    private func isWalked(
        _ text: UnsafeBufferPointer<UInt8>, at node: KeyTree.Node, _ fields: inout FieldList
    ) -> Bool {
        guard node != KeyTree.none else { return true }
        guard text.count < FieldList.bytesMax else { return false }
        do throws(JSONError) {
            if node == KeyTree.root {
                try walker.walk(text, into: &fields)
            } else {
                try walker.walk(text, at: node, into: &fields)
            }
            return true
        } catch {
            return false
        }
    }

    private func finish<Result>(
        _ text: UnsafeBufferPointer<UInt8>, isWalked: Bool, _ scratch: inout MatchScratch, _ body: Body<Result>,
        value: () -> JSONValue
    ) -> Result {
        if scratch.fields.isUnusual || !isWalked { readTree(value(), &scratch.fields) }
        let fields = scratch.fields
        return fields.copies.withUnsafeBufferPointer { copies in
            body(MatchedEvent(tree: tree, fields: fields, text: FieldText(text: text, copies: copies)), &scratch)
        }
    }

    // MARK: The long way

    private func readTree(_ event: JSONValue, _ list: inout FieldList) {
        let fields = EventFields(event) { node(of: $0) != KeyTree.none }
        list.begin(tree)
        list.hasAmbiguousKeys = fields.hasAmbiguousKeys
        for path in fields.arrayPaths { _ = list.addArray(at: node(of: path)) }
        let numbers = Self.number(fields.fields.values.lazy.joined().map(\.place), &list)
        for (path, values) in fields.fields {
            let leaf = tree.leaf(at: node(of: path))
            guard leaf != KeyTree.none else { continue }
            for field in values { list.add(leaf, scalar: field.value, at: numbers[field.place] ?? 0) }
        }
    }

    /// Adds places and those around them, in the order in which their elements begin, as a walk does.
    private static func number(
        _ places: some Sequence<EventFields.Place>, _ list: inout FieldList
    ) -> [EventFields.Place: Int32] {
        var all: Set<EventFields.Place> = []
        for place in places {
            var place = place
            while !place.isEmpty, all.insert(place).inserted { place.removeLast() }
        }
        var numbers: [EventFields.Place: Int32] = [[]: 0]
        for place in all.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let last = place.last else { continue }
            numbers[place] = list.addPlace(
                in: Int32(truncatingIfNeeded: EventFields.array(of: last)), index: Int32(truncatingIfNeeded: last),
                parent: numbers[place.dropLast()] ?? 0)
        }
        return numbers
    }

    private func node(of path: FieldPath) -> KeyTree.Node { path.bytes.withUnsafeBufferPointer { tree.node(of: $0) } }
}

/// Where the members of ``Event/value`` stand in a tree; ``KeyTree/none`` for what no pattern asks for, which is then not
/// even made.
private struct Envelope: Sendable {
    let id, source, origin, key, type, subject, time, received, remote, ext, headers, data: KeyTree.Node

    init(_ tree: KeyTree) {
        func node(_ name: String) -> KeyTree.Node {
            Array(name.utf8).withUnsafeBufferPointer { tree.child(of: KeyTree.root, $0) }
        }
        id = node("id")
        source = node("source")
        origin = node("origin")
        key = node("key")
        type = node("type")
        subject = node("subject")
        time = node("time")
        received = node("received")
        remote = node("remote")
        ext = node("ext")
        headers = node("headers")
        data = node("data")
    }

    /// All but the data.
    func add(_ event: Event, _ walker: FieldWalker, to list: inout FieldList) {
        func add(_ node: KeyTree.Node, _ value: @autoclosure () -> String?) {
            guard node != KeyTree.none, let value = value() else { return }
            walker.walk(.string(value), at: node, into: &list)
        }
        add(id, event.id.description)
        add(source, event.source)
        add(origin, event.origin)
        add(key, event.key)
        add(type, event.type)
        add(subject, event.subject)
        add(time, event.time.description)
        add(received, event.received.description)
        add(remote, event.remote)
        if ext != KeyTree.none, !event.ext.isEmpty { walker.walk(.object(event.ext), at: ext, into: &list) }
        if headers != KeyTree.none { walker.walk(.object(event.headers), at: headers, into: &list) }
    }
}
