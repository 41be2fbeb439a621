import BelfryCore
import BelfryHTTP

/// A subscription that survives lost connections: it reconnects by itself and resumes behind the last frame it saw.
struct EventStream {
    let client: APIClient
    let path: String
    let query: [(String, String?)]

    enum Verdict { case goOn, enough }

    /// Gives each frame to `onFrame`, until that has enough or the hub says that nothing follows (204).
    ///
    /// Throws if the first connection fails or the hub refuses; later losses are waited out, and said on stderr once.
    func follow(_ onFrame: (JSONValue) async throws -> Verdict) async throws {
        var lastID: String?
        var pause = ReconnectPause()
        var wasConnected = false, isGone = false
        while true {
            do {
                let response = try await client.open(path, query, lastEventID: lastID)
                if response.status == 204 { return }
                guard response.status == 200 else { throw try await refusal(response) }
                wasConnected = true
                if isGone { Terminal.complain("back") }
                isGone = false
                let start = lastID
                var askedPause: Duration?
                let verdict = try await read(response.body, &lastID) { frame in
                    askedPause = ReconnectPause.asked(by: frame)
                    return try await onFrame(frame)
                }
                guard verdict == .goOn else { return }
                if lastID != start { pause = ReconnectPause() }
                if let askedPause {
                    Terminal.complain("the hub stops or restarts; trying again")
                    isGone = true
                    try await Task.sleep(for: askedPause)
                    continue
                }
            } catch let failure as Failure where wasConnected && [.unreachable, .serverError].contains(failure.code) {
                // The hub restarts or the way to it is cut; both pass.
                if !isGone { Terminal.complain("the hub is gone; trying again") }
                isGone = true
            }
            try await Task.sleep(for: pause.next(random: .random(in: 0...1)))
        }
    }

    private func read(
        _ body: HTTPBody, _ lastID: inout String?, _ onFrame: (JSONValue) async throws -> Verdict
    ) async throws -> Verdict {
        var decoder = SSEDecoder()
        do {
            for try await bytes in body {
                for event in try decoder.decode(bytes) {
                    guard let frame = try? JSONValue(parsing: event.data) else { continue }
                    if frame["type"]?.string == "GAP" {
                        Terminal.complain(
                            "frames were lost: the hub no longer keeps positions \(frame["data"]?.text ?? "")")
                    }
                    guard try await onFrame(frame) == .goOn else {
                        await body.cancel()
                        return .enough
                    }
                }
                // The cursor also moves without a frame (`id:` alone keeps a quiet stream fresh).
                if !decoder.lastEventID.isEmpty { lastID = decoder.lastEventID }
            }
        } catch is HTTPFailure {
            // What came is shown; the rest comes after the reconnect.
            if !decoder.lastEventID.isEmpty { lastID = decoder.lastEventID }
        }
        return .goOn
    }

    private func refusal(_ response: HTTPResponse) async throws -> Failure {
        let bytes = (try? await response.body.collect(upTo: 1024 * 1024)) ?? []
        let body = (try? JSONValue(parsing: bytes)) ?? .null
        let answer = APIClient.Answer(status: response.status, headers: response.headers, body: body)
        return client.failure(answer, at: "GET \(path)")
    }
}
