import ArgumentParser
import BelfryCore

struct BenchFanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout",
        abstract: "Publish to many viewers and check that nothing is lost, doubled or reordered.",
        discussion: """
            EXAMPLE
              belfry bench fanout --subscribers 1000 --messages 300 --output json
            """
    )

    @OptionGroup var client: ClientOptions
    @Option(help: "Viewers, each a connection.") var subscribers = 100
    @Option(help: "Messages.") var messages = 200
    @Option(help: "Bytes of each message.") var size = 200
    @Option(help: "Messages that may be under way at the same time.") var window = 8
    @Option(help: "The topic below custom/.") var topic = "bench"

    func validate() throws {
        guard (1...50_000).contains(subscribers), (1...1_000_000).contains(messages), (1...10_000).contains(window),
            (64...65536).contains(size), Name.isValid(topic)
        else { throw ValidationError("a value is out of range") }
    }

    func run() async throws {
        let token = try client.foundToken()
        let endpoint = try Endpoint(url: client.hubURL)
        let headers = "Host: \(endpoint.host):\(endpoint.port)\r\nAuthorization: Bearer \(token)\r\n"
        let stream = "GET /v1/stream?topic=custom/\(topic) HTTP/1.1\r\n\(headers)Accept: text/event-stream\r\n\r\n"
        let load = FanoutLoad(
            endpoint: endpoint, subscribers: subscribers, messages: messages, window: window,
            subscribeRequest: Array(stream.utf8)
        ) { [size, topic] marker in
            let body = #"{"m":""# + marker.padded(to: size - 8) + #""}"#
            return Array(
                ("POST /v1/topics/custom/\(topic) HTTP/1.1\r\n\(headers)Content-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8
            )
        }
        let report = try load.run()
        client.output.show(report.json) { json in
            """
            \(json.cell("per_second")) deliveries/s to \(subscribers) viewers (\(messages) messages of \(size) bytes)
            p50 \(json.cell("p50_ms")) ms   p99 \(json.cell("p99_ms")) ms   max \(json.cell("max_ms")) ms
            lost \(json.cell("lost"))   doubled \(json.cell("doubled"))   reordered \(json.cell("reordered"))   \
            closed \(json.cell("closed"))

            """
        }
        if !report.isClean { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}
