import BelfryCore
import BelfryRules
import BelfrySources
import Foundation

/// The source a delivery goes to, with the secret that its sender would have.
struct DeliveryTarget {
    var source: SourceDefinition
    var secret: Secret?

    /// With a name and a secret file no API is asked: a sender needs no token.
    static func find(preset: Preset, name: String?, secretFile: String?, client: APIClient) async throws
        -> DeliveryTarget
    {
        let secret = try secretFile.map { path in
            Secret(String(try LocalFile.text(at: path, bytesMax: 64 * 1024).drop { $0.isWhitespace }.trimmingEnd()))
        }
        if let name, let secret {
            return DeliveryTarget(source: SourceDefinition(name: name, preset: preset), secret: secret)
        }
        let found = try await nameOfFirst(preset, given: name, client: client)
        let answer = try await client.get("/v1/sources/\(PercentEncoding.component(found))")
        if let its = answer["preset"]?.string, its != preset.rawValue {
            throw Failure(
                .usage,
                "\(found) is a source of preset \(its), not \(preset.rawValue): belfry send \(its) --source \(found)")
        }
        var definition = SourceDefinition(name: found, preset: preset)
        if let document = answer["document"],
            let loaded = try? DocumentLoader.load(stored: RawJSON(document), kind: .source, text: ""),
            case .source(let stored) = loaded.content
        {
            definition = stored
        }
        let shown = answer["secrets"]?.array?.first?["value"]?.string.map { Secret($0) }
        if secret == nil, shown == nil, !definition.secrets.isEmpty {
            throw try await noSecret(of: found, answer, client: client)
        }
        return DeliveryTarget(source: definition, secret: secret ?? shown)
    }

    /// Why the API shows no secret: it cannot be read, or only admins may read it.
    private static func noSecret(of name: String, _ source: JSONValue, client: APIClient) async throws -> Failure {
        if let problem = source["problem"]?.string { return Failure(.negative, "\(name): \(problem)") }
        let role = try await client.get("/v1/me")["role"]?.string.map { " (\($0))" } ?? ""
        return Failure(
            .refused, "your token\(role) may not read \(name)'s secret; use an admin token or --secret-file")
    }

    private static func nameOfFirst(_ preset: Preset, given: String?, client: APIClient) async throws -> String {
        if let given { return given }
        let sources = try await client.get("/v1/sources").items
        let fitting = sources.filter { $0["preset"]?.string == preset.rawValue }.map { $0.cell("name") }
        guard let first = fitting.first else {
            throw Failure(
                .negative,
                "the hub has no source of preset \(preset.rawValue): belfry sources add NAME --preset \(preset.rawValue)"
            )
        }
        if fitting.count > 1 {
            Terminal.complain("this goes to \(first); --source chooses another of \(fitting.joined(separator: ", "))")
        }
        return first
    }

    /// The template's headers and those that make it a valid delivery now.
    func headers(for template: DeliveryTemplate, id: String) -> [(name: String, value: String)] {
        let signed = DeliverySigner.headers(
            for: source, secret: secret, body: template.body, id: id, now: WallClock.system.now()
        )
        let names = Set(signed.map { $0.name.lowercased() })
        return template.headers.filter { !names.contains($0.name.lowercased()) } + signed + Self.hops(beside: template)
    }

    /// Inside a run's command: how many runs led here. A loop of rules is found by it.
    private static func hops(beside template: DeliveryTemplate) -> [(name: String, value: String)] {
        guard let hops = ProcessInfo.processInfo.environment[Hops.variable], !hops.isEmpty,
            !template.headers.contains(where: { $0.name.lowercased() == Hops.header })
        else { return [] }
        return [(Hops.header, hops)]
    }

    /// Signs and posts.
    func post(_ template: DeliveryTemplate, id: String, client: APIClient) async throws -> JSONValue {
        let headers = headers(for: template, id: id)
        let path = "/hooks/\(PercentEncoding.component(source.name))"
        let answer = try await client.exchange(
            "POST", path, headers: headers, body: template.body, isAuthorized: false
        )
        switch answer.status {
        case 200..<300: return answer.body
        case 401:
            let said = answer.body["detail"]?.string ?? "the signature was refused"
            let code = answer.body["code"]?.string ?? "401"
            throw Failure(
                .refused,
                "\(said) (\(code)); belfry sources show \(source.name) shows the secret, --secret-file gives it")
        default: throw Failure(problem: answer, at: "POST \(path)")
        }
    }

    /// Signs and posts for a dry run: the hub says what would happen, and does nothing. `Authorization` is the asker's.
    func rehearse(_ template: DeliveryTemplate, id: String, client: APIClient) async throws -> JSONValue {
        let headers = headers(for: template, id: id).filter { $0.name.lowercased() != "authorization" }
        let path = "/hooks/\(PercentEncoding.component(source.name))"
        let answer = try await client.exchange(
            "POST", path, [("dry_run", "true")], headers: headers, body: template.body)
        guard answer.status == 200 else { throw client.failure(answer, at: "POST \(path)?dry_run") }
        return answer.body
    }

    /// A new id in the form of a UUID, as GitHub's deliveries have.
    static func newID() -> String {
        let digits = Hex.encode((0..<16).map { _ in UInt8.random(in: 0...255) })
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return parts.map { range in
            let start = digits.utf8.index(digits.startIndex, offsetBy: range.lowerBound)
            return String(digits[start..<digits.utf8.index(start, offsetBy: range.count)])
        }.joined(separator: "-")
    }
}

extension Substring {
    fileprivate func trimmingEnd() -> Substring {
        var text = self
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
