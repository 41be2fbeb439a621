import BelfryCore
import BelfryEngine
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import BelfryServer

/// Readers that take little, or nothing, over real sockets. The seconds are turned by hand.
@Suite("slow readers", .timeLimit(.minutes(3)))
struct SlowReaderTests {
    /// A connection whose kernel holds next to nothing for it, and whose bytes are read when the test says so.
    private final class Reader: Sendable {
        let descriptor: Int32

        init(port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            // Small pieces, so that the window opens for a few hundred bytes.
            for (level, option, value) in [(SOL_SOCKET, SO_RCVBUF, 1024), (CInt(IPPROTO_TCP), TCP_MAXSEG, 536)] {
                var value = CInt(value)
                setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
            }
            _ = try SocketAddress(ipAddress: "127.0.0.1", port: port).withSockAddr {
                connect(descriptor, $0, socklen_t($1))
            }
        }

        deinit { close(descriptor) }

        func write(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return send(descriptor, bytes, bytes.count, 0) == bytes.count
        }

        /// Takes what there is, but no more than so many bytes.
        func take(_ count: Int) -> Int {
            var buffer = [UInt8](repeating: 0, count: count)
            return max(0, recv(descriptor, &buffer, count, Int32(MSG_DONTWAIT)))
        }
    }

    /// What the shards of all loops say.
    private func shards<Value: Sendable>(
        _ rig: EdgeRig, _ body: @escaping @Sendable (FanoutShard) -> Value
    ) async throws -> [Value] {
        var values: [Value] = []
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            let value = try await loop.submit { rig.fanout.shard(of: loop).map(body) }.get()
            if let value { values.append(value) }
        }
        return values
    }

    private func frame(_ position: Int64) -> Frame {
        let data = RawJSON(.string(String(repeating: "x", count: 50_000)))
        return Frame(
            position: position,
            draft: DraftFrame(time: Timestamp(milliseconds: 0), topic: .custom("c"), type: .custom, data: data))
    }

    @Test("one that takes a few hundred bytes a second is not closed; one that takes nothing for 30 s is")
    func anyByteCounts() async throws {
        let plan = StreamPlan(topics: [.custom("c")], after: 0)
        try await EdgeRig.run(respond: { _ in .stream(plan) }) { rig in
            let reader = try Reader(port: rig.port)
            #expect(reader.write("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"))
            while rig.fanout.subscribers == 0 { await Task.yield() }
            for position in 1...10 { rig.fanout.publish([frame(Int64(position))]) }
            while try await shards(rig, { $0.blocked.count }).reduce(0, +) == 0 { await Task.yield() }
            // Less than what makes the kernel say that there is room.
            for _ in 0..<40 {
                var taken = 0
                while taken < 500 {
                    taken += reader.take(500 - taken)
                    await Task.yield()
                }
                _ = try await shards(rig) { $0.tick() }
            }
            #expect(rig.fanout.subscribers == 1)
            for _ in 0..<35 { _ = try await shards(rig) { $0.tick() } }
            #expect(rig.fanout.subscribers == 0)
            #expect(rig.closed(.stalled) == 1)
        }
    }
}
