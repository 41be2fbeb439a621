/// One number of the hub's own state, as `/metrics` shows it.
public struct MetricSample: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case counter, gauge }

    public struct Label: Sendable, Hashable {
        public var name: String
        /// From a closed set (a route, a state, a reason), never a URI or payload.
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// By Prometheus' conventions: `belfry_…_total`, `_seconds`, `_bytes`.
    public var name: String
    public var help: String
    public var kind: Kind
    public var labels: [Label]
    public var value: Double

    public init(_ name: String, help: String, kind: Kind, labels: [Label] = [], value: Double) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.value = value
    }
}
