import BelfryCore
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import BelfryServer

@Suite("dispatcher")
struct DispatcherTests {
    private let lines = LogLines()

    private func dispatcher(_ add: (inout RouteTable) -> Void) -> Dispatcher {
        var table = RouteTable(
            authentication: Authentication(
                principal: { token in
                    Role(rawValue: token).map { Principal(token: nil, name: "the \($0.rawValue)", role: $0) }
                },
                origins: OriginPolicy()
            ),
            tickets: StreamTickets(clock: .system, isValid: { _ in true })
        )
        add(&table)
        let lines = lines
        return Dispatcher(
            responder: table.responder(), metrics: RequestMetrics(), clock: .system,
            logger: Logger(label: "test") { _ in LineHandler(lines: lines) }
        )
    }

    private func send(
        _ method: HTTPMethod, _ uri: String, headers: HTTPHeaders = [:], to dispatcher: Dispatcher
    ) async throws -> OutboundResponse {
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
        let request = InboundRequest(head: head, body: ByteBuffer())
        guard case .response(let response) = await dispatcher.respond(to: request, peerAddress: address) else {
            throw BelfryError(.internal, "not a response")
        }
        return response
    }

    @Test("an error nobody thought of is a 500 that says nothing of it, and an error line with the same id")
    func unexpectedError() async throws {
        struct Secretive: Error { let inside = "the secret sauce" }
        let dispatcher = dispatcher { $0.add(.get, "/boom", .open) { _ in throw Secretive() } }
        let response = try await send(.GET, "/boom", to: dispatcher)
        let body = try JSONValue(parsing: response.body.readableBytesView)
        #expect(response.status == 500)
        #expect(body["code"]?.string == "internal")
        #expect(!String(buffer: response.body).contains("sauce"))
        let line = try #require(lines.all.first { $0.hasPrefix("error ") })
        #expect(line.contains("request.id=\(body["request_id"]?.string ?? "?")"))
        #expect(line.contains("sauce"))
    }

    @Test("one line per request, with its path and never its query")
    func accessLog() async throws {
        let dispatcher = dispatcher { $0.add(.get, "/v1/thing", .role(.viewer)) { _ in .empty(204) } }
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let headers: HTTPHeaders = ["Authorization": "Bearer viewer", "traceparent": trace]
        _ = try await send(.GET, "/v1/thing?token=hush", headers: headers, to: dispatcher)
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        for part in ["info request", "http.path=/v1/thing", "http.status=204", "principal=the viewer", trace] {
            #expect(line.contains(part), "\(part)")
        }
        #expect(!line.contains("hush"))
        _ = try await send(.GET, "/v1/thing", headers: ["traceparent": "00-zz"], to: dispatcher)
        #expect(lines.all.last?.contains("trace.parent") == false)
    }

    @Test("a path answers 405 with what it does answer; an unknown one 404; neither becomes a label")
    func unknown() async throws {
        let dispatcher = dispatcher { table in
            table.add(.get, "/a/:id", .open) { _ in .empty(204) }
            table.add(.delete, "/a/:id", .open) { _ in .empty(204) }
        }
        let response = try await send(.POST, "/a/5", to: dispatcher)
        #expect(response.status == 405)
        #expect(response.headers.contains { $0.name == "allow" && $0.value == "GET, HEAD, DELETE" })
        #expect(try await send(.GET, "/a/5/b", to: dispatcher).status == 404)
        #expect(try await send(.RAW(value: "PROPFIND"), "/a/5", to: dispatcher).status == 404)
        #expect(try await send(.GET, "http://other.example/a/5?x", to: dispatcher).status == 204)
        let routes = Set(dispatcher.metrics.samples.flatMap(\.labels).filter { $0.name == "route" }.map(\.value))
        #expect(routes.isSubset(of: ["/a/:id", "/a/{id}", "none"]))
    }

    @Test(
        "each role may what it includes, and is told what it lacks",
        arguments: [
            (Access.role(.viewer), ["viewer", "operator", "admin"]), (.role(.operator), ["operator", "admin"]),
            (.role(.admin), ["admin"]), (.publisher, ["publisher", "operator", "admin"]),
            (.anyToken, ["viewer", "operator", "admin", "publisher"]),
        ])
    func roles(access: Access, admitted: [String]) async throws {
        let dispatcher = dispatcher { $0.add(.get, "/x", access) { _ in .empty(204) } }
        for role in Role.allCases.map(\.rawValue) {
            let headers: HTTPHeaders = ["Authorization": "bearer \(role)"]
            let status = try await send(.GET, "/x", headers: headers, to: dispatcher).status
            #expect(status == (admitted.contains(role) ? 204 : 403), "\(role)")
        }
        #expect(try await send(.GET, "/x", to: dispatcher).status == 401)
        #expect(try await send(.GET, "/x", headers: ["Authorization": "Basic dmlld2Vy"], to: dispatcher).status == 401)
    }

    @Test("queries are decoded, repeated and broken ones too")
    func query() {
        let query = Query("topic=run%2F*&topic=runs&q=a+b&broken=%zz%4&flag&empty=")
        #expect(query.values("topic") == ["run/*", "runs"])
        #expect(query["q"] == "a b")
        #expect(query["broken"] == "%zz%4")
        #expect(query["flag"] == "")
        #expect(query["empty"] == "")
        #expect(query["none"] == nil)
    }

    @Test("metrics escape labels and stand together by name")
    func prometheus() {
        let text = PrometheusText.render([
            MetricSample("a_total", help: "A.", kind: .counter, labels: [.init("x", "q\"\\\n")], value: 2),
            MetricSample("a_total", help: "A.", kind: .counter, labels: [.init("x", "r")], value: 0.5),
        ])
        #expect(
            text == "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"q\\\"\\\\\\n\"} 2\na_total{x=\"r\"} 0.5\n")
    }
}

/// What was logged, a line each: level, message, metadata.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ line: String) { lines.withLock { $0.append(line) } }
}

struct LineHandler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(lines: LogLines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
        lines.append("\(event.level) \(event.message) \(pairs)")
    }
}
