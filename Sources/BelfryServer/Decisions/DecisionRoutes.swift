import BelfryCore
import BelfryEngine
import BelfrySources
import HTTPTypes
import NIOHTTP1

/// Where the links of messages lead (`{{links.STEP}}`): GET shows the question, POST decides it. Whatever looks at a link, as
/// chats and mail filters do, decides nothing.
struct DecisionRoutes {
    let hub: Hub

    func add(to table: inout RouteTable) {
        table.add(.get, "/decide", .open) { try await show($0) }
        table.add(.post, "/decide", .open) { try await decide($0) }
    }

    private func show(_ request: RouteRequest, problem: String? = nil, value: String? = nil) async throws(BelfryError)
        -> Reply
    {
        do throws(BelfryError) {
            let question = try await hub.question(link: request.query["code"] ?? "")
            let page = DecisionPage(question: question, problem: problem, given: value)
            return .page(page.html, status: problem == nil ? 200 : 422)
        } catch  where error.code == .notFound {
            return .page(
                DecisionPage.html(title: "No such question", "<p>\(DecisionPage.escaped(error.message))</p>"),
                status: 404)
        }
    }

    private func decide(_ request: RouteRequest) async throws(BelfryError) -> Reply {
        let form = try FormFields(request.bodyBytes[...])
        guard let approval = try form.theOnly("approval").flatMap({ ApprovalID($0) }),
            let word = try form.theOnly("decision").flatMap(VerdictWord.init(rawValue:))
        else { throw BelfryError(.malformed, "the form needs approval and decision (approve or deny)") }
        let given = try form.theOnly("value")
        var body: JSONObject = [:]
        if word == .approve, let given, !given.allSatisfy(\.isWhitespace) {
            guard let value = try? JSONValue(parsing: Array(given.utf8)) else {
                return try await show(request, problem: "The value is not JSON.", value: given)
            }
            body["value"] = value
        }
        if word == .deny, let reason = try form.theOnly("reason"), !reason.isEmpty { body["reason"] = .string(reason) }
        do throws(BelfryError) {
            let answer = try await hub.decide(
                link: request.query["code"] ?? "", approval, try word.verdict(body))
            if answer.result == .rejected {
                return try await show(request, problem: answer.reason ?? "It was refused.", value: given)
            }
        } catch  where error.code == .conflict {
            return try await show(request, problem: error.message)
        }
        // The page again, so that a reload asks nothing twice.
        return .empty(303, headers: [("location", String(request.head.uri)), ("cache-control", "no-store")])
    }
}

extension Reply {
    /// A page that runs nothing, loads the hub's own style alone and says nowhere where it came from.
    fileprivate static func page(_ html: String, status: Int) -> Reply {
        .bytes(
            Array(html.utf8), contentType: "text/html; charset=utf-8", status: status,
            headers: [
                (
                    "content-security-policy",
                    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
                ),
                ("referrer-policy", "same-origin"), ("x-content-type-options", "nosniff"),
                ("x-robots-tag", "noindex"),
            ])
    }
}
