import BelfryCore
import Glibc

/// What a hub says about itself over its API.
struct HubCheck {
    let options: ClientOptions

    func findings() async -> [Finding] {
        do {
            let client = try options.client()
            let (isThere, found) = try await reach(client)
            return isThere ? found + (try await documents(client)) : found
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
        return (true, [ready] + [status(try await client.exchange("GET", "/v1/status"))].compactMap { $0 })
    }

    /// The pragmas that the writer really has; older hubs do not say.
    private func status(_ answer: APIClient.Answer) -> Finding? {
        guard answer.status == 200, let store = answer.body["store"] else { return nil }
        let synchronous = store["synchronous"]?.number?.int64
        let detail = store.object?.members.map { "\($0.key) \($0.value.cell)" }.joined(separator: ", ") ?? ""
        return synchronous == 2
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
            let broken = items.filter { $0["status"]?.string == BelfryError.Code.secretUnavailable.rawValue }
            findings += broken.map { item in
                let why = item["problem"]?.string ?? "a secret of \(item.cell("name")) cannot be read"
                return Finding(.fail, name, why, mend: "set the variable or file it names and restart the hub")
            }
            if items.isEmpty { findings.append(Finding(.warn, name, "none", mend: none)) }
            if !items.isEmpty, broken.isEmpty {
                findings.append(Finding(.ok, name, "\(items.count), no secret is missing"))
            }
        }
        return findings
    }
}
