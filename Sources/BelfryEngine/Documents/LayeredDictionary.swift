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
    package var keys: some Sequence<Key> { elements.map(\.key) }

    /// In no order.
    package var values: some Sequence<Value> { elements.map(\.value) }

    private var elements: some LazySequenceProtocol<(key: Key, value: Value)> {
        let kept = base.lazy.filter { [changes] in changes[$0.key] == nil }.map {
            (key: $0.key, value: $0.value as Value?)
        }
        let changed = changes.lazy.map { (key: $0.key, value: $0.value) }
        return [AnySequence(kept), AnySequence(changed)].lazy.joined()
            .compactMap { element in element.value.map { (key: element.key, value: $0) } }
    }
}
