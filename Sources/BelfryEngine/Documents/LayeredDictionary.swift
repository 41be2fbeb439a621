/// A dictionary of which a copy can be changed without copying it whole: what was changed lately lies above what was there.
///
/// Snapshots of 100,000 rules share nearly all they hold.
package struct LayeredDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var base: [Key: Value] = [:]
    /// Nil: removed.
    private var changes: [Key: Value?] = [:]
    package private(set) var count = 0

    package init() {}

    /// Changes that lie above the rest before they are put into it, at the price of a copy.
    private static var changesMax: Int { 1024 }

    package var isEmpty: Bool { count == 0 }

    package subscript(key: Key) -> Value? {
        get { if let change = changes[key] { change } else { base[key] } }
        set {
            count += (newValue == nil ? 0 : 1) - (self[key] == nil ? 0 : 1)
            changes.updateValue(newValue, forKey: key)
            guard changes.count > Self.changesMax else { return }
            for (key, value) in changes { base[key] = value }
            changes = [:]
        }
    }

    /// In no order.
    package var keys: some Sequence<Key> { elements.lazy.map(\.key) }

    /// In no order.
    package var values: some Sequence<Value> { elements.lazy.map(\.value) }

    private var elements: AnySequence<(key: Key, value: Value)> {
        AnySequence { [base, changes] in
            let kept = base.lazy.filter { changes[$0.key] == nil }.map { (key: $0.key, value: $0.value) }
            let changed = changes.lazy.compactMap { key, value in value.map { (key: key, value: $0) } }
            return [AnySequence(kept), AnySequence(changed)].joined().makeIterator()
        }
    }
}
