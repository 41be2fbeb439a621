import NIOCore
import NIOEmbedded
import Testing

@testable import BelfryServer

@Suite(.timeLimit(.minutes(3))) struct OpenConnectionsTests {
    @Test("the end is awaited until the last connection has closed")
    func waits() async throws {
        let connections = OpenConnections()
        let channels = [NIOAsyncTestingChannel(), NIOAsyncTestingChannel()]
        for channel in channels { connections.add(channel) }
        try await channels[0].close()
        async let end: Void = connections.waitForEnd()
        try await channels[1].close()
        await end
        await connections.waitForEnd()
    }

    @Test("who is cancelled waits no longer")
    func cancels() async {
        let connections = OpenConnections()
        let channel = NIOAsyncTestingChannel()
        connections.add(channel)
        let waiting = Task { await connections.waitForEnd() }
        waiting.cancel()
        await waiting.value
        _ = try? await channel.finish()
    }
}
