import BelfryCore

/// The values that an event has at one path, each once, in orders in which tests find theirs by search.
///
/// It is what a ``PatternIndex`` is to events, the other way round: an array of many values against a test that was reached from
/// elsewhere. Making it costs a sort, of each order that some test asks for.
struct ValueTable: Sendable {
    /// Some of the values, sorted.
    struct Sorted: Sendable {
        /// Values by their numbers.
        var values: [Int32] = []
        /// How many fields the values before each have together; one more than there are values.
        var sums: [Int32] = [0]
        /// What an order of numbers or of addresses sorts by.
        var numbers: [Double] = []
        var addresses: [IPAddress] = []
    }

    /// One field of each value.
    private(set) var fields: [Int32] = []
    /// The numbers of the values of each kind.
    private var kinds = [Range<Int>](repeating: 0..<0, count: 5)
    /// The places of the fields, value by value; where they begin says ``Sorted/sums`` of the plain order.
    private var places: [Int32] = []
    private var orders = [Sorted?](repeating: nil, count: ValueOrder.allCases.count)
    /// Place and value of all fields, by place.
    private(set) var byPlace: [(place: Int32, value: Int32)] = []

    var isEmpty: Bool { fields.isEmpty }
    var fieldCount: Int { places.count }

    /// - Parameter positions: fields of one path.
    init(_ positions: [Int32], _ event: borrowing MatchedEvent) {
        let (all, text) = (event.fields.fields, event.text)
        func compare(_ left: Int32, _ right: Int32) -> Int {
            let (left, right) = (all[Int(left)], all[Int(right)])
            if left.kind != right.kind { return Int(left.kind.rawValue) - Int(right.kind.rawValue) }
            return ValueOrder.plain.compare(text[left], text[right], isBeginning: false)
        }
        var sorted = Sorted()
        for position in positions.sorted(by: { compare($0, $1) < 0 }) {
            if let last = fields.last, compare(last, position) == 0 {
                sorted.sums[sorted.sums.count - 1] += 1
            } else {
                let kind = Int(all[Int(position)].kind.rawValue)
                kinds[kind] = (kinds[kind].isEmpty ? fields.count : kinds[kind].lowerBound)..<(fields.count + 1)
                sorted.values.append(Int32(fields.count))
                fields.append(position)
                sorted.sums.append(Int32(places.count + 1))
            }
            let place = all[Int(position)].place
            places.append(place)
            byPlace.append((place, Int32(fields.count - 1)))
        }
        orders[ValueOrder.plain.rawValue] = sorted
        byPlace.sort { $0.place < $1.place }
    }

    func kind(_ kind: WalkedField.Kind) -> ValueSpan { ValueSpan(order: .plain, range: kinds[Int(kind.rawValue)]) }

    /// How many fields have a value of a span.
    mutating func fieldCount(_ span: ValueSpan, _ event: borrowing MatchedEvent) -> Int {
        sort(span.order, event)
        let sums = orders[span.order.rawValue]?.sums ?? []
        return span.range.isEmpty ? 0 : Int(sums[span.range.upperBound] - sums[span.range.lowerBound])
    }

    /// The value at a position of an order.
    func value(_ order: ValueOrder, _ position: Int) -> Int32 { orders[order.rawValue]?.values[position] ?? 0 }

    /// Where the fields of a value stand.
    func places(of value: Int32) -> ArraySlice<Int32> {
        let sums = orders[ValueOrder.plain.rawValue]?.sums ?? []
        return places[Int(sums[Int(value)])..<Int(sums[Int(value) + 1])]
    }

    // MARK: Searching

    /// Texts, or the literals of numbers, that are `key` or begin with it; of the backward orders, end with it.
    mutating func span(
        _ order: ValueOrder, _ key: UnsafeBufferPointer<UInt8>, isBeginning: Bool, of kind: WalkedField.Kind = .string,
        _ event: borrowing MatchedEvent
    ) -> ValueSpan {
        sort(order, event)
        let all = order == .plain ? kinds[Int(kind.rawValue)] : 0..<count(order)
        let text = event.text
        let list = event.fields.fields
        func compare(_ position: Int) -> Int {
            let field = list[Int(fields[Int(value(order, position))])]
            return order.compare(text[field], key, isBeginning: isBeginning)
        }
        let start = Self.first(in: all) { compare($0) >= 0 }
        let end = Self.first(in: start..<all.upperBound) { compare($0) > 0 }
        return ValueSpan(order: order, range: start..<end)
    }

    /// The numbers, by size, from the first that is not before a range to the last that is not behind it.
    mutating func numbers(
        notBefore isBefore: (Double) -> Bool, notBehind isBehind: (Double) -> Bool, _ event: borrowing MatchedEvent
    ) -> ValueSpan {
        sort(.number, event)
        let numbers = orders[ValueOrder.number.rawValue]?.numbers ?? []
        let start = Self.first(in: numbers.indices) { !isBefore(numbers[$0]) }
        let end = Self.first(in: start..<numbers.count) { isBehind(numbers[$0]) }
        return ValueSpan(order: .number, range: start..<end)
    }

    /// All numbers that can be compared, the least first.
    mutating func numbers(_ event: borrowing MatchedEvent) -> [Double] {
        sort(.number, event)
        return orders[ValueOrder.number.rawValue]?.numbers ?? []
    }

    /// The addresses of a block.
    mutating func addresses(from base: IPAddress, maskBits: Int, _ event: borrowing MatchedEvent) -> ValueSpan {
        sort(.address, event)
        let addresses = orders[ValueOrder.address.rawValue]?.addresses ?? []
        func block(_ address: IPAddress) -> IPAddress {
            address.isVersion4 == base.isVersion4 ? address.prefix(maskBits) : address
        }
        let start = Self.first(in: addresses.indices) { !Self.precedes(block(addresses[$0]), base) }
        let end = Self.first(in: start..<addresses.count) { Self.precedes(base, block(addresses[$0])) }
        return ValueSpan(order: .address, range: start..<end)
    }

    /// The fields inside of some elements of arrays, as positions in ``byPlace``.
    func fields(in elements: Range<Int32>) -> Range<Int> {
        let start = Self.first(in: byPlace.indices) { byPlace[$0].place >= elements.lowerBound }
        return start..<Self.first(in: start..<byPlace.count) { byPlace[$0].place >= elements.upperBound }
    }

    /// The first position that has a property which all behind it have.
    private static func first(in range: Range<Int>, where isBehind: (Int) -> Bool) -> Int {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end {
            let middle = (start + end) / 2
            if isBehind(middle) { end = middle } else { start = middle + 1 }
        }
        return start
    }

    // MARK: Sorting

    private func count(_ order: ValueOrder) -> Int { orders[order.rawValue]?.values.count ?? 0 }

    private static func precedes(_ left: IPAddress, _ right: IPAddress) -> Bool {
        left.isVersion4 == right.isVersion4 ? left.bits < right.bits : left.isVersion4
    }

    /// Makes an order unless it is there.
    private mutating func sort(_ order: ValueOrder, _ event: borrowing MatchedEvent) {
        guard orders[order.rawValue] == nil else { return }
        let (list, text) = (event.fields.fields, event.text)
        func bytes(_ value: Int32) -> UnsafeBufferPointer<UInt8> { text[list[Int(fields[Int(value)])]] }
        var sorted = Sorted()
        switch order {
        case .number:
            let pairs = kinds[Int(WalkedField.Kind.number.rawValue)].compactMap { value in
                ComparableNumber(bytes(Int32(value))).map { (Int32(value), $0.value) }
            }.sorted { $0.1 < $1.1 }
            sorted.values = pairs.map(\.0)
            sorted.numbers = pairs.map(\.1)
        case .address:
            let pairs = kinds[Int(WalkedField.Kind.string.rawValue)].compactMap { value in
                IPAddress(bytes(Int32(value))).map { (Int32(value), $0) }
            }.sorted { Self.precedes($0.1, $1.1) }
            sorted.values = pairs.map(\.0)
            sorted.addresses = pairs.map(\.1)
        default:
            sorted.values = kinds[Int(WalkedField.Kind.string.rawValue)].map { Int32($0) }
                .sorted { order.compare(bytes($0), bytes($1), isBeginning: false) < 0 }
        }
        sorted.sums.reserveCapacity(sorted.values.count + 1)
        for value in sorted.values { sorted.sums.append((sorted.sums.last ?? 0) + Int32(places(of: value).count)) }
        orders[order.rawValue] = sorted
    }
}
