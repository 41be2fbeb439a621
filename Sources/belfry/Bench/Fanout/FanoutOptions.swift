import ArgumentParser
import BelfryCore

/// How many, how much, how fast.
struct FanoutLoadOptions: ParsableArguments {
    @Option(help: "Subscribers, each a connection.") var subscribers = 100
    @Option(help: "Topics; subscribers and messages take turns at them.") var topics = 1
    @Option(help: "Messages that are measured (default 200, unless --seconds is given).") var messages: Int?
    @Option(help: "Publish for so long instead.") var seconds: Int?
    @Option(help: "Messages before that, which are not counted (default 20, at least one per topic).")
    var warmUp: Int?
    @Option(help: "Bytes of each message.") var size = 200
    @Option(help: "Messages per second, all topics together (default: as fast as it goes).") var rate: Double?
    @Option(help: "Without --rate: messages that may be under way at the same time.") var window = 8
    @Option(help: "Connections that publish, each one message at a time; at most one per topic.") var publishers = 1
    @Option(help: "Further subscribers that read slowly. It is measured without them first.") var slow = 0
    @Option(help: ArgumentHelp("Bytes per second that each of them reads; 0 is none at all.", valueName: "bytes"))
    var slowRate = 0
    @Flag(help: "Subscribe over WebSockets instead of event streams.") var ws = false
    @Option(help: "A process of the server, for its processor time and memory; with its children. Repeatable.")
    var pid: [Int32] = []
    @Option(help: "What has not come after so many quiet seconds is lost.") var patience = 5
    @Option(help: "The topic's name; with several topics NAME-0, NAME-1, …") var topic = "bench"

    func validate() throws {
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("subscribers", subscribers, 1...1_000_000), ("topics", topics, 1...1_000_000),
            ("messages", messages ?? 1, 1...100_000_000), ("seconds", seconds ?? 1, 1...86400),
            ("warm-up", warmUp ?? 0, 0...1_000_000), ("size", size, 64...65536), ("window", window, 1...100_000),
            ("publishers", publishers, 1...10_000), ("slow", slow, 0...1_000_000),
            ("slow-rate", slowRate, 0...1_000_000_000), ("patience", patience, 1...3600),
        ]
        for (name, value, range) in ranges where !range.contains(value) {
            throw ValidationError("--\(name) is between \(range.lowerBound) and \(range.upperBound)")
        }
        guard messages == nil || seconds == nil else { throw ValidationError("--messages or --seconds, not both") }
        guard rate.map({ $0 > 0 && $0 <= 1e6 }) ?? true else {
            throw ValidationError("--rate is more than 0 and at most 1000000 messages per second")
        }
        guard publishers <= topics else {
            throw ValidationError("--publishers: at most one per topic, or the order of its messages says nothing")
        }
        guard Name.isValid(topic) else { throw ValidationError("--topic: \(topic) is no name") }
    }

    func plan(_ wire: FanoutPlan.Wire) throws -> FanoutPlan {
        let names = topics == 1 ? [topic] : (0..<topics).map { "\(topic)-\($0)" }
        return FanoutPlan(
            subscribers: subscribers, topics: names.map { Array($0.utf8) }, publishers: publishers,
            goal: goal,
            warmUp: warmUp ?? max(20, topics), pace: rate.map { .rate($0) } ?? .window(window), size: size,
            slow: slow > 0 ? .init(readers: slow, bytesPerSecond: slowRate) : nil, isWebSocket: ws, processes: pid,
            patience: .seconds(patience), wire: wire, format: .init(run: .random(in: 1 ... .max)))
    }
}

extension FanoutLoadOptions {
    private var goal: FanoutPlan.Goal {
        guard let seconds else { return .messages(messages ?? 200) }
        // At a rate the number is known: the last ones are waited for, however late they are.
        return rate.map { .messages(max(1, Int($0 * Double(seconds)))) } ?? .nanoseconds(Int64(seconds) * 1_000_000_000)
    }
}

/// How a server is spoken to; without any of it, as a hub is.
struct FanoutTargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where it is published; {topic} stands for the topic, here and in --url.", valueName: "url"))
    var publishUrl: String?
    @Option(name: [.customShort("H"), .long], help: "A header of each subscription, NAME: VALUE. Repeatable.")
    var header: [String] = []
    @Option(help: "A header of each publication (default Content-Type: application/json). Repeatable.")
    var publishHeader: [String] = []
    @Option(help: "What is published.") var body = #"{"m":"{mark}{pad}"}"#
    @Option(help: "What is sent over a new WebSocket; its first message then says that the subscription holds.")
    var hello: String?

    func validate() throws {
        for line in header + publishHeader {
            guard line.contains(":"), !line.contains(where: \.isNewline) else {
                throw ValidationError("a header is NAME: VALUE, not \(line)")
            }
        }
        guard FanoutTemplate(body).hasMark else {
            throw ValidationError("--body needs {mark}: subscribers know a message by it")
        }
    }

    func wire(_ hub: HubOptions, isWebSocket: Bool) throws -> FanoutPlan.Wire {
        guard let publishUrl else { return try wire(ofHub: hub, isWebSocket: isWebSocket) }
        let subscribe = try Endpoint(url: hub.baseURL), publish = try Endpoint(url: publishUrl)
        let headers = publishHeader.isEmpty ? ["Content-Type: application/json"] : publishHeader
        return .init(
            subscribeAt: subscribe, publishAt: publish, subscribePath: .init(subscribe.path),
            publishPath: .init(publish.path), body: .init(body), hello: hello.map { .init($0) },
            subscribeHeaders: Self.lines(header), publishHeaders: Self.lines(headers))
    }

    private func wire(ofHub hub: HubOptions, isWebSocket: Bool) throws -> FanoutPlan.Wire {
        guard !hub.baseURL.contains("{topic}") else {
            throw Failure(.usage, "--url is no hub's, since there is {topic} in it: say --publish-url too")
        }
        let endpoint = try Endpoint(url: hub.baseURL)
        let base = endpoint.path == "/" ? "" : endpoint.path
        let token = "Authorization: Bearer \(try hub.foundToken())"
        let hello = #"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["custom/{topic}"]}}"#
        return .init(
            subscribeAt: endpoint, publishAt: endpoint,
            subscribePath: .init(base + (isWebSocket ? "/v1/ws" : "/v1/stream?topic=custom/{topic}")),
            publishPath: .init("\(base)/v1/topics/custom/{topic}"), body: .init(body),
            hello: .init(self.hello ?? hello),
            subscribeHeaders: Self.lines([token] + header),
            publishHeaders: Self.lines([token, "Content-Type: application/json"] + publishHeader))
    }

    private static func lines(_ headers: [String]) -> String { headers.map { $0 + "\r\n" }.joined() }
}
