import BelfryCore
import BelfryEngine
import Synchronization

/// What is counted about streams and WebSockets.
final class StreamMetrics: Sendable {
    private let opened = Atomic<Int>(0)
    private let delivered = Atomic<Int>(0)
    private let closed = Mutex<[CloseReason: Int]>([:])

    func streamOpened() { opened.add(1, ordering: .relaxed) }

    func streamClosed(_ reason: CloseReason) { closed.withLock { $0[reason, default: 0] += 1 } }

    func framesDelivered(_ count: Int) { delivered.add(count, ordering: .relaxed) }

    var samples: [MetricSample] {
        let closed = closed.withLock { $0 }
        let open = opened.load(ordering: .relaxed) - closed.values.reduce(0, +)
        var samples = [
            MetricSample(
                "belfry_streams_open", help: "Event streams and WebSockets open now.", kind: .gauge, value: Double(open)
            ),
            MetricSample(
                "belfry_stream_frames_total", help: "Frames written to event streams and WebSockets.", kind: .counter,
                value: Double(delivered.load(ordering: .relaxed))
            ),
        ]
        samples += CloseReason.allCases.map { reason in
            MetricSample(
                "belfry_streams_closed_total", help: "Event streams and WebSockets that ended, by reason.",
                kind: .counter,
                labels: [.init("reason", reason.rawValue)], value: Double(closed[reason] ?? 0)
            )
        }
        return samples
    }
}
