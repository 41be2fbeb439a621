import BelfryCore
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// One WebSocket connection to a hub, from the TCP connection to the close frame.
struct HubConnection: Sendable {
    /// The channel of an upgraded connection.
    typealias Messages = NIOAsyncChannel<ClientMessage, WebSocketFrame>

    private enum Upgrade: Sendable {
        case done(Messages)
        case refused(NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>)
    }

    /// What came instead of an upgrade.
    struct Refusal: Error {
        var status: Int
        var body: [UInt8]
    }

    let messages: Messages

    /// Connects and upgrades. Throws a ``Refusal`` for an answer that is none, else what the network says.
    static func open(_ address: HubAddress, token: String) async throws -> HubConnection {
        let tls = try address.isTLS ? tlsContext() : nil
        let upgrade = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(TimeAmount(Limits.clientConnectTimeout))
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        // Server name indication knows names only; an address is checked against the certificate anyway.
                        let isName = (try? SocketAddress(ipAddress: address.host, port: 0)) == nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isName ? address.host : nil))
                    }
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: configuration(address, token: token))
                }.map { upgrade in
                    let late = channel.eventLoop.scheduleTask(in: TimeAmount(Limits.clientConnectTimeout)) {
                        channel.close(promise: nil)
                    }
                    upgrade.whenComplete { _ in late.cancel() }
                    return upgrade
                }
            }
        switch try await upgrade.get() {
        case .done(let messages): return HubConnection(messages: messages)
        case .refused(let answer): throw try await refusal(answer)
        }
    }

    /// The text message `text`, as a client's frame.
    static func frame(_ text: String) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text))
    }

    private static func configuration(
        _ address: HubAddress, token: String
    ) -> NIOUpgradableHTTPClientPipelineConfiguration<Upgrade> {
        let headers: HTTPHeaders = [
            "Host": address.authority, "Authorization": "Bearer \(token)", "User-Agent": "belfry/\(Version.text)",
            "Sec-WebSocket-Protocol": "belfry.v1",
        ]
        let upgrader = NIOTypedWebSocketClientUpgrader<Upgrade>(maxFrameSize: Limits.clientMessageBytesMax) {
            channel, _ in
            channel.eventLoop.makeCompletedFuture { .done(try messages(on: channel)) }
        }
        let upgrade = NIOTypedHTTPClientUpgradeConfiguration<Upgrade>(
            upgradeRequestHead: HTTPRequestHead(version: .http1_1, method: .GET, uri: address.path, headers: headers),
            upgraders: [upgrader]
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
            }
        }
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade)
        // Else a frame that comes in one packet with the 101 is lost.
        configuration.leftOverBytesStrategy = .forwardBytes
        return configuration
    }

    private static func messages(on channel: any Channel) throws -> Messages {
        try channel.pipeline.syncOperations.addHandler(
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: Limits.clientFragmentsMax,
                maxAccumulatedFrameSize: Limits.clientMessageBytesMax))
        try channel.pipeline.syncOperations.addHandler(ClientMessageHandler())
        let waitingMax = Limits.clientMessagesWaitingMax
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(
                backPressureStrategy: .init(lowWatermark: waitingMax / 4, highWatermark: waitingMax)))
    }

    private static func tlsContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        if let file = HubOptions.authorityFile { configuration.trustRoots = .file(file) }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func refusal(
        _ answer: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
    ) async throws -> Refusal {
        try await answer.executeThenClose { parts, _ in
            var refusal = Refusal(status: 0, body: [])
            for try await part in parts {
                switch part {
                case .head(let head): refusal.status = Int(head.status.code)
                case .body(let bytes): refusal.body += bytes.readableBytesView
                case .end: return refusal
                }
                if refusal.body.count > Limits.errorBodyBytesMax { return refusal }
            }
            return refusal
        }
    }
}
