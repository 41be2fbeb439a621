import BelfryCore
import Glibc

/// What a hub says about itself over its API.
struct HubCheck {
    let options: ClientOptions

    func findings() async -> [Finding] {
        do {
            let client = try options.client()
            let (isThere, found) = try await reach(client)
            return isThere
                ? found + (try await documents(client)) + (try await targets(client)) + (try await tokens(client))
                : found
        } catch let failure as Failure {
            return [Finding(.fail, failure.code == .refused ? "token" : "hub", failure.message)]
        } catch {
            return [Finding(.fail, "hub", "\(error)")]
        }
    }

    /// Whether a hub answers, and what it says of itself.
    private func reach(_ client: APIClient) async throws -> (isThere: Bool, findings: [Finding]) {
        let answer: APIClient.Answer
        do {
            answer = try await client.exchange("GET", "/readyz", isAuthorized: false)
        } catch let failure as Failure {
            return (false, [Finding(.warn, "hub", failure.message), port()].compactMap { $0 })
        }
        let ready =
            answer.status == 200
            ? Finding(.ok, "hub", "ready at \(client.url)")
            : Finding(
                .fail, "hub", "not ready: \(answer.body["detail"]?.string ?? answer.body.cell)", mend: "see its log")
        let status = try await client.exchange("GET", "/v1/status")
        return (true, [ready] + (status.status == 200 ? Self.findings(ofStatus: status.body) : []))
    }

    /// What `GET /v1/status` shows: `{paused, paused_sources, rules_folder: {path, error?}, problems, store}`.
    static func findings(ofStatus status: JSONValue) -> [Finding] {
        var findings: [Finding] = []
        if status["paused"]?.bool == true {
            findings.append(
                Finding(.warn, "paused", "everything: events are stored, nothing starts", mend: "belfry resume"))
        }
        for source in status["paused_sources"]?.array ?? [] {
            findings.append(
                Finding(.warn, "paused", "source \(source.cell)", mend: "belfry sources resume \(source.cell)"))
        }
        if let folder = status["rules_folder"], let path = folder["path"]?.string {
            let error = folder["error"]?.string.map { "\($0); the hub runs the previous set" }
            findings.append(Finding(error == nil ? .ok : .fail, "rules folder", error ?? path))
        }
        for problem in status["problems"]?.array ?? [] {
            findings.append(Finding(.fail, "documents", "\(problem.cell("title")): \(problem.cell("text"))"))
        }
        return findings + [tls(status, now: WallClock.system.now()), durability(status)].compactMap { $0 }
    }

    /// The certificate that the hub itself shows; behind a proxy it has none.
    static func tls(_ status: JSONValue, now: Timestamp) -> Finding? {
        guard let tls = status["tls"], let end = tls["not_after"]?.string.flatMap({ Timestamp($0) }) else { return nil }
        let mend = "renew it, then SIGHUP the hub (systemctl reload belfry)"
        if let error = tls["error"]?.string {
            return Finding(.fail, "certificate", "not reloaded: \(error)", mend: "mend that, then SIGHUP the hub")
        }
        if end <= now { return Finding(.fail, "certificate", "it ended at \(end)", mend: mend) }
        let days = (end - now).components.seconds / 86400
        let isSoon = end <= now + Limits.certificateWarning
        return Finding(
            isSoon ? .warn : .ok, "certificate", "good for \(days) days, to \(end)", mend: isSoon ? mend : nil)
    }

    /// The pragmas that the writer really has.
    private static func durability(_ status: JSONValue) -> Finding? {
        guard let store = status["store"] else { return nil }
        let detail = store.object?.members.map { "\($0.key) \($0.value.cell)" }.joined(separator: ", ") ?? ""
        return store["synchronous"]?.number?.int64 == 2
            ? Finding(.ok, "durability", detail)
            : Finding(.fail, "durability", detail, mend: "synchronous must be 2 (FULL): restart the hub")
    }

    /// If nothing answers on this machine: is the port free?
    private func port() -> Finding? {
        guard let endpoint = try? Endpoint(url: options.hubURL), Loopback.isLoopback(url: options.hubURL) else {
            return nil
        }
        let isTaken = (try? endpoint.connect()).map { close($0) } != nil
        return isTaken
            ? Finding(
                .fail, "port", "something that is no hub listens on \(endpoint.port)", mend: "serve on another --port")
            : Finding(.ok, "port", "\(endpoint.port) is free for belfry serve")
    }

    /// Sources and agents whose secrets cannot be read are disabled, and nothing else says so unasked.
    private func documents(_ client: APIClient) async throws -> [Finding] {
        var findings: [Finding] = []
        for (name, none) in [
            ("sources", "belfry rules apply ./Rules adds the shipped ones"),
            ("agents", "rules with an agent step need one"),
        ] {
            let items = try await client.get("/v1/\(name)").items
            let broken = items.compactMap { Self.problem(of: $0, named: name) }
            findings += broken
            if items.isEmpty { findings.append(Finding(.warn, name, "none", mend: none)) }
            if !items.isEmpty, broken.isEmpty {
                findings.append(Finding(.ok, name, "\(items.count), no secret is missing"))
            }
        }
        return findings
    }

    /// Targets of sends that are gone, or whose secrets cannot be read.
    private func targets(_ client: APIClient) async throws -> [Finding] {
        let answer = try await client.exchange("GET", "/v1/targets")
        guard answer.status == 200, !answer.body.items.isEmpty else { return [] }
        let broken = answer.body.items.compactMap(Self.finding(ofTarget:))
        return broken.isEmpty ? [Finding(.ok, "targets", "\(answer.body.items.count), no secret is missing")] : broken
    }

    /// What is wrong with a target; nil if nothing is.
    static func finding(ofTarget target: JSONValue) -> Finding? {
        let name = target.cell("name")
        if let problem = target["problem"]?.string {
            return Finding(
                .fail, "targets", "\(name): \(problem)", mend: problem.contains("; ") ? nil : "set what it names")
        }
        guard target["enabled"]?.bool == false else { return nil }
        return Finding(
            .warn, "targets", "\(name) is disabled since \(target.cell("disabled_since")): \(target.cell("reason"))",
            mend: "belfry targets enable \(name)")
    }

    /// Publishers from before tokens had scopes may publish nothing. Only an admin sees tokens.
    private func tokens(_ client: APIClient) async throws -> [Finding] {
        let answer = try await client.exchange("GET", "/v1/tokens")
        return answer.status == 200 ? answer.body.items.compactMap(Self.finding(ofToken:)) : []
    }

    /// What is wrong with a token; nil if nothing is.
    static func finding(ofToken token: JSONValue) -> Finding? {
        guard token["role"]?.string == Role.publisher.rawValue, token["scopes"]?.array?.isEmpty == true,
            token["revoked"]?.string == nil
        else { return nil }
        return Finding(
            .warn, "tokens", "the publisher \(token.cell("name")) has no scopes: it may publish nothing",
            mend: "belfry tokens revoke \(token.cell("id")), and make one with --scope")
    }

    /// Why a source or agent is disabled, its name in front; nil if it is not.
    static func problem(of item: JSONValue, named list: String) -> Finding? {
        let code = BelfryError.Code.secretUnavailable.rawValue
        guard item["problem"]?.string != nil || item["status"]?.string == code else { return nil }
        let why = item["problem"]?.string ?? "a secret cannot be read"
        // Most problems already say what to do.
        let mend = why.contains("; ") ? nil : "set what it names and restart the hub"
        return Finding(.fail, list, "\(item.cell("name")): \(why)", mend: mend)
    }
}
