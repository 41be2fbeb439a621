import BelfryCore
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ScriptedProviderTests {
    @Test("the script is played, and a peer that closes is noticed")
    func playsAndNotices() async throws {
        let provider = try ScriptedProvider([.text("one "), .pause(.milliseconds(20)), .text("two"), .hang])
        let stream = try await RawClient(port: provider.port, token: "k").stream("/v1/chat/completions")
        let first = try #require(try await stream.next())
        #expect(first.frame["choices"]?.array?.first?[path: ["delta", "content"]]?.string == "one ")
        _ = try await stream.next()
        #expect(provider.exchanges.first?.peerClosed == nil)
        stream.close()
        _ = try await eventually("the provider to see the close") { provider.exchanges.first?.peerClosed }
        #expect(provider.exchanges.first?.head.contains("Authorization: Bearer k") == true)
    }
}
