import BelfryCore

/// The ``ValueTable``s of an event, made as tests ask for them.
struct EventValues: Sendable {
    /// The values of one path.
    struct Path: Sendable {
        var outside: ValueTable
        var inside: ValueTable
    }

    private var numbers: [Int32: Int] = [:]
    /// By the numbers that ``path(of:_:)`` gives.
    var paths: [Path] = []
    /// For each place the number behind the last one inside of it: places are numbered as their elements begin.
    private var ends: [Int32] = []

    mutating func removeAll() {
        guard !paths.isEmpty || !ends.isEmpty else { return }
        numbers = [:]
        paths = []
        ends = []
    }

    /// Where the values of a path stand in ``paths``.
    mutating func path(of leaf: Int32, _ event: borrowing MatchedEvent) -> Int {
        if let known = numbers[leaf] { return known }
        var (outside, inside): ([Int32], [Int32]) = ([], [])
        var position = event.fields.lastField(of: leaf)
        while position >= 0 {
            let field = event.fields.fields[Int(position)]
            if field.place == 0 { outside.append(position) } else { inside.append(position) }
            position = field.previous
        }
        paths.append(Path(outside: ValueTable(outside, event), inside: ValueTable(inside, event)))
        numbers[leaf] = paths.count - 1
        return paths.count - 1
    }

    // MARK: Elements

    /// An element with all that is inside of it.
    mutating func elements(in place: Int32, _ event: borrowing MatchedEvent) -> Range<Int32> {
        let places = event.fields.places
        if ends.isEmpty {
            ends = places.indices.map { Int32($0 + 1) }
            for place in places.indices.dropFirst().reversed() {
                let parent = Int(places[place].parent)
                ends[parent] = max(ends[parent], ends[place])
            }
        }
        return place..<ends[Int(place)]
    }

    /// Hands over the fields of a path, as positions in ``ValueTable/byPlace``, that are inside of an element or of one that it is
    /// inside of, until `body` says that there are enough.
    mutating func forEachField(
        _ path: Int, agreeingWith place: Int32, _ event: borrowing MatchedEvent, _ body: (Int) -> Bool
    ) {
        for position in paths[path].inside.fields(in: elements(in: place, event)) where !body(position) { return }
        var outer = event.fields.places[Int(place)].parent
        while outer > 0 {
            for position in paths[path].inside.fields(in: outer..<(outer + 1)) where !body(position) { return }
            outer = event.fields.places[Int(outer)].parent
        }
    }
}
