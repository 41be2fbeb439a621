import BelfryCore

extension IncomingEvent {
    /// What stands where something was taken out.
    static let redacted = "[redacted]"

    /// Takes the values at `paths` out. What was read from there before, the key and the type, stays.
    mutating func redact(_ paths: [EventPath]) {
        func parts(_ root: EventPath.Root) -> [[EventPath.Part]] { paths.filter { $0.root == root }.map(\.parts) }
        let mark = RawJSON(.string(Self.redacted))
        let places = parts(.data)
        // Paths lead nowhere in a body that is no JSON, so nothing of it may stay.
        data = !places.isEmpty && data.isOpaque ? mark : data.redacting(places, with: mark)
        if subject != nil, !parts(.subject).isEmpty { subject = Self.redacted }
        for (root, object) in [(EventPath.Root.headers, \Self.headers), (.ext, \Self.ext)] {
            let parts = parts(root)
            guard !parts.isEmpty else { continue }
            self[keyPath: object] =
                RawJSON(.object(self[keyPath: object])).redacting(parts, with: mark).value.object ?? JSONObject()
        }
    }
}
