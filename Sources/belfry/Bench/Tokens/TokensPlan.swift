/// What `belfry bench tokens` is to do.
struct TokensPlan: Sendable {
    var runs: Int
    /// Of all runs together; they take turns at them, so that the first ones are each the first of a run.
    var dashboards: Int
    /// Per run, those that are timed.
    var tokens: Int
    /// Per run, those before them. They are counted all the same.
    var warmUp: Int
    /// Tokens per second of each run.
    var rate: Double
    /// Processes of the hub: their descendants count too.
    var processes: [Int32]
    /// No token for so long: what has not come is lost.
    var patience: Duration
    var hub: Endpoint
    /// The header line with the token, and its end.
    var authorization: String
    var ingest: Ingest?
    /// Marks of the first run; the others have the numbers behind it.
    var mark: UInt32

    /// What is posted beside.
    struct Ingest: Sendable {
        var rate: Double
        var connections: Int
        var template: PacedIngest.Template
    }

    /// Per run, all that its dashboards must get. The first one is said at once, before all dashboards are there.
    var tokensOfRun: Int { 1 + warmUp + tokens }

    /// The event that starts a run.
    func eventRequest(run: Int) -> [UInt8] {
        let body =
            #"{"specversion":"1.0","id":"\#(mark)-\#(run)","source":"belfry-bench","type":"bench.tokens","#
            + #""data":{"number":\#(run)}}"#
        return head("POST", "/v1/events?source=\(TokensHub.name)", "Content-Type: application/cloudevents+json\r\n")
            + Array("Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    func dashboardRequest(run id: String) -> [UInt8] {
        head("GET", "/v1/runs/\(id)/stream?after=0", "Accept: text/event-stream\r\n\r\n")
    }

    func head(_ method: String, _ path: String, _ lines: String) -> [UInt8] {
        let base = hub.path == "/" ? "" : hub.path
        return Array("\(method) \(base)\(path) HTTP/1.1\r\nHost: \(hub.authority)\r\n\(authorization)\(lines)".utf8)
    }
}
