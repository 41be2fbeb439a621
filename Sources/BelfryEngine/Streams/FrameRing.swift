public import BelfryCore

/// The most recent batches of the log, in memory, so that most of those who catch up need no disk.
///
/// Bounded by frames and by bytes. `Payload` is whatever goes with a batch, such as its encoded form.
public struct FrameRing<Payload> {
    public struct Batch {
        /// The batch covers `after < position <= through`.
        public let after: Int64
        public let through: Int64
        public let frames: Int
        public let bytes: Int
        public let payload: Payload
    }

    private let framesMax: Int
    private let bytesMax: Int
    /// Oldest first, from `first` on; what stands before it is gone.
    private var batches: [Batch?] = []
    private var first = 0

    /// Frames and bytes held.
    public private(set) var frames = 0
    public private(set) var bytes = 0

    public init(framesMax: Int = Limits.ringFramesMax, bytesMax: Int = Limits.ringBytesMax) {
        self.framesMax = framesMax
        self.bytesMax = bytesMax
    }

    /// Appends the next batch; the oldest go until the bounds hold. A batch that does not follow the last one makes the
    /// ring begin anew: it never has a hole.
    public mutating func append(after: Int64, through: Int64, frames: Int, bytes: Int, payload: Payload) {
        if let last = batches.last ?? nil, last.through != after { removeAll() }
        batches.append(Batch(after: after, through: through, frames: frames, bytes: bytes, payload: payload))
        self.frames += frames
        self.bytes += bytes
        while first < batches.count, self.frames > framesMax || self.bytes > bytesMax { removeFirst() }
        if first > 64, first > batches.count / 2 {
            batches.removeFirst(first)
            first = 0
        }
    }

    /// The batches that together hold everything after `position`, oldest first; the first may begin before it. Nil if
    /// the ring does not reach back that far.
    public func batches(after position: Int64) -> [Batch]? {
        guard first < batches.count, let oldest = batches[first], oldest.after <= position else { return nil }
        // Binary search for the first batch that ends after the position.
        var low = first
        var high = batches.count
        while low < high {
            let middle = (low + high) / 2
            if let batch = batches[middle], batch.through > position { high = middle } else { low = middle + 1 }
        }
        return batches[low...].compactMap { $0 }
    }

    private mutating func removeFirst() {
        if let batch = batches[first] {
            frames -= batch.frames
            bytes -= batch.bytes
        }
        batches[first] = nil
        first += 1
    }

    private mutating func removeAll() {
        batches = []
        first = 0
        frames = 0
        bytes = 0
    }
}
