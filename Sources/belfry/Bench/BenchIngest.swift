import ArgumentParser
import BelfryCore
import BelfrySources

struct BenchIngest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Post signed deliveries in closed loops; each is stored before it is answered.",
        discussion: """
            EXAMPLE
              belfry bench ingest --connections 16 --seconds 5 --output json
            """
    )

    @OptionGroup var client: ClientOptions
    @Option(help: "Sample or preset to send.") var sample = "github-push"
    @Option(help: ArgumentHelp("Body to send instead.", valueName: "file")) var file: String?
    @Option(help: "The source to send to (default: the first of the preset).") var source: String?
    @Option(help: ArgumentHelp("File that holds the secret.", valueName: "file")) var secretFile: String?
    @Option(help: "Connections.") var connections = 16
    @Option(help: "How long.") var seconds = 5

    func validate() throws {
        guard (1...10_000).contains(connections), (1...3600).contains(seconds) else {
            throw ValidationError("--connections is between 1 and 10000, --seconds between 1 and 3600")
        }
    }

    func run() async throws {
        let client = try self.client.client()
        let endpoint = try Endpoint(url: self.client.hubURL)
        let template = try DeliveryTemplate(named: sample, file: file, headers: [])
        let target = try await DeliveryTarget.find(
            preset: template.preset, name: source, secretFile: secretFile, client: client
        )
        let load = IngestLoad(endpoint: endpoint, connections: connections, duration: .seconds(seconds)) {
            target.request(template, id: DeliveryTarget.newID(), to: endpoint)
        }
        let report = try load.run()
        self.client.output.show(report.json) { json in
            """
            \(json.cell("per_second")) deliveries/s accepted (\(template.body.count) bytes each, \(connections) connections)
            p50 \(json.cell("p50_ms")) ms   p99 \(json.cell("p99_ms")) ms   max \(json.cell("max_ms")) ms
            refused \(json.cell("refused"))   broken connections \(json.cell("broken_connections"))

            """
        }
        if report.refused + report.broken > 0 { throw ExitCode(Failure.Code.negative.rawValue) }
    }
}

extension DeliveryTarget {
    /// A whole request that delivers: head and body.
    func request(_ template: DeliveryTemplate, id: String, to hub: Endpoint) -> [UInt8] {
        var head = "POST /hooks/\(source.name) HTTP/1.1\r\nHost: \(hub.host):\(hub.port)\r\n"
        for (name, value) in headers(for: template, id: id) { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(template.body.count)\r\n\r\n"
        return Array(head.utf8) + template.body
    }
}
