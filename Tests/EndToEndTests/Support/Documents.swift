import BelfryCore
import BelfrySources
import Foundation

/// Documents that the tests of the running hub share.
enum Documents {
    static let secret = "It's a Secret to Everybody"

    /// A `github` source, verified with ``secret``; an agent that talks at a pace; a rule for every issue.
    static func github(wordsPerSecond: Int = 200, prompt: String = "Issue {{data.issue.number}}: {{data.issue.title}}")
        -> String
    {
        """
        source: github
        preset: github
        secret: env:GITHUB_WEBHOOK_SECRET
        ---
        agent: parrot
        kind: echo
        words_per_second: \(wordsPerSecond)
        ---
        rule: triage
        when: { source: [github], type: [issues.opened] }
        limits: { concurrency: 100, runs_per_hour: 10000 }
        run:
          steps:
            - { step: triage, agent: parrot, prompt: "\(prompt)" }
        """
    }

    /// A `github` source as in ``github(wordsPerSecond:prompt:)``, whose rule asks this provider.
    static func asking(_ provider: ScriptedProvider) -> String {
        """
        source: github
        preset: github
        secret: env:GITHUB_WEBHOOK_SECRET
        ---
        agent: model
        kind: openai
        base_url: \(provider.baseURL)
        model: scripted
        ---
        rule: triage
        when: { source: [github], type: [issues.opened] }
        run: { steps: [ { step: triage, agent: model, prompt: "Issue {{data.issue.number}}" } ] }
        """
    }

    /// A source `plant` with these settings, and a rule for its readings over 90 degrees.
    static func plant(_ settings: String) -> String {
        """
        source: plant
        \(settings)
        ---
        agent: fitter
        kind: echo
        ---
        rule: hot-pump
        when: { source: [plant], data: { celsius: [{ numeric: [">", 90] }] } }
        run: { steps: [{ step: advise, agent: fitter, prompt: "{{event.data.sensor}} is hot" }] }
        """
    }

    static let environment = ["GITHUB_WEBHOOK_SECRET": secret]

    /// A signed `issues.opened` delivery.
    static func issue(_ number: Int, delivery: String) -> (headers: [(String, String)], body: [UInt8]) {
        let body = Array(
            #"{"action":"opened","issue":{"number":\#(number),"title":"A title of several words"},"repository":{"full_name":"acme/roof"}}"#
                .utf8
        )
        return (signedHeaders(body, delivery: delivery), body)
    }

    /// The headers of a signed `issues` delivery.
    static func signedHeaders(_ body: [UInt8], delivery: String) -> [(String, String)] {
        let source = SourceDefinition(name: "github", preset: .github)
        let headers = DeliverySigner.headers(
            for: source, secret: Secret(secret), body: body, id: delivery, now: WallClock.system.now()
        )
        let others = headers.filter { $0.name.lowercased() != "x-github-event" }
        return others.map { ($0.name, $0.value) } + [
            ("X-GitHub-Event", "issues"), ("Content-Type", "application/json"),
        ]
    }
}

extension HubProcess {
    /// Starts a hub with one document file as its `--rules` folder.
    static func start(
        documents: String, arguments: [String] = [], environment: [String: String] = Documents.environment
    ) async throws -> HubProcess {
        let folder = try TemporaryFolder()
        try folder.write(documents, to: "rules/test.yaml")
        return try await start(
            rules: "\(folder.path)/rules", arguments: arguments, environment: environment, folder: folder
        )
    }

    /// Posts a signed GitHub delivery.
    func deliver(_ number: Int, id: String) async throws -> RawClient.Response {
        let (headers, body) = Documents.issue(number, delivery: id)
        return try await RawClient(port: port, token: nil).request(
            "POST", "/hooks/github", headers: headers, body: body)
    }

    /// Waits until this run has ended; returns it.
    func ended(_ run: String) async throws -> JSONValue {
        try await eventually(within: .seconds(30), "run \(run) to end") { () -> JSONValue? in
            let run = try await client.request("GET", "/v1/runs/\(run)").json
            return RunState(rawValue: run["state"]?.string ?? "")?.isEnded == true ? run : JSONValue?.none
        }
    }

    /// Waits until no run is unfinished.
    func allRunsEnded(within deadline: Duration = .seconds(40)) async throws -> [JSONValue] {
        let client = try client
        return try await eventually(within: deadline, "all runs to end") {
            let runs = try await client.request("GET", "/v1/runs?limit=1000").json["items"]?.array ?? []
            let isOver =
                !runs.isEmpty && runs.allSatisfy { RunState(rawValue: $0["state"]?.string ?? "")?.isEnded == true }
            return isOver ? runs : nil
        }
    }
}

/// Starts a hub on these documents, gives it to `body`, and ends it. If `body` throws, the hub's log is shown.
func withHub(
    documents: String, arguments: [String] = [], environment: [String: String] = Documents.environment,
    _ body: (HubProcess) async throws -> Void
) async throws {
    try await HubProcess.start(documents: documents, arguments: arguments, environment: environment).use(body)
}
