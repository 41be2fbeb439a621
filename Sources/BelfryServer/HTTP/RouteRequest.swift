import BelfryCore
import NIOCore
import NIOHTTP1

/// A request as a route sees it: who asks is known, the body is complete.
struct RouteRequest: Sendable {
    /// Names the request in answers and log lines.
    let id: String
    let head: HTTPRequestHead
    let body: ByteBuffer
    let peer: Peer
    let query: Query
    let received: Timestamp
    /// Parts of the path, by the route's names for them.
    var parameters: [String: String] = [:]
    /// Nil only on open routes.
    var principal: Principal?

    var headers: HTTPHeaders { head.headers }

    /// What the client calls us, with the port if it is said.
    var host: String? { headers.first(name: "host") }

    var isDryRun: Bool { query.asksForDryRun }

    var bodyBytes: [UInt8] { Array(body.readableBytesView) }

    /// The asker of a route that is not open.
    func caller() throws(BelfryError) -> Principal {
        guard let principal else { throw BelfryError(.unauthorized, "a bearer token is needed") }
        return principal
    }

    /// A part of the path that is a name.
    func name(_ parameter: String) throws(BelfryError) -> String {
        guard let text = parameters[parameter], Name.isValid(text) else {
            throw BelfryError(.notFound, "there is nothing of this name; a name is \(Name.form)")
        }
        return text
    }

    /// A part of the path that is an id.
    func id<Kind: IdentifierKind>(
        _ kind: Kind.Type, _ parameter: String = "id"
    ) throws(BelfryError) -> Identifier<Kind> {
        guard let id = parameters[parameter].flatMap({ Identifier<Kind>($0) }) else {
            throw BelfryError(.notFound, "there is nothing of this id; ids here look like \(Kind.prefix)_…")
        }
        return id
    }

    /// The body as JSON.
    func json() throws(BelfryError) -> JSONValue {
        do {
            return try JSONValue(parsing: body.readableBytesView)
        } catch {
            throw BelfryError(.invalidJSON, error.description)
        }
    }

    /// The body as JSON, which may be absent.
    func optionalJSON() throws(BelfryError) -> JSONValue { body.readableBytes == 0 ? [:] : try json() }

    /// The body as text.
    func text() throws(BelfryError) -> String {
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw BelfryError(.malformed, "the body is not valid UTF-8")
        }
        return text
    }

    /// `?limit=` and `?cursor=`.
    func page() throws(BelfryError) -> (limit: Int, cursor: String?) {
        guard let text = query["limit"] else { return (Limits.pageRowsDefault, query["cursor"]) }
        guard let limit = Int(text), (1...Limits.pageRowsMax).contains(limit) else {
            throw BelfryError(.malformed, "limit must be 1 to \(Limits.pageRowsMax)")
        }
        return (limit, query["cursor"])
    }

    /// A parameter from a closed set.
    func word<Word: RawRepresentable & CaseIterable>(
        _ parameter: String, of _: Word.Type = Word.self
    ) throws(BelfryError) -> Word? where Word.RawValue == String {
        guard let text = query[parameter] else { return nil }
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw BelfryError(.malformed, "\(parameter) must be one of: \(words)")
        }
        return word
    }
}

extension JSONValue {
    /// The members of an object that holds no others than these.
    /// - Parameter what: names the object, for who sent none.
    func members(of names: Set<String>, _ what: String = "the body") throws(BelfryError) -> JSONObject {
        guard let object else { throw BelfryError(.malformed, "\(what) must be a JSON object") }
        if let other = object.members.first(where: { !names.contains($0.key) }) {
            let known = names.isEmpty ? "nothing is" : "there are: \(names.sorted().joined(separator: ", "))"
            throw BelfryError(.malformed, "\"\(other.key.prefix(40))\" is not known here; \(known)")
        }
        return object
    }
}

extension JSONObject {
    /// A list of topics; nil if there is none.
    func topics(_ key: String) throws(BelfryError) -> [Topic]? {
        guard let value = self[key], value != .null else { return nil }
        guard let list = value.array, case let names = list.compactMap(\.string), names.count == list.count else {
            throw BelfryError(.malformed, "\(key) must be a list of topics such as run/* and alerts")
        }
        return try Topic.list(names)
    }

    /// A position to begin after; nil if there is none.
    func position(_ key: String) throws(BelfryError) -> Int64? {
        guard let value = self[key] else { return nil }
        guard let position = value.number?.int64, position >= 0 else {
            throw BelfryError(.malformed, "\(key) must be a position: a whole number from 0")
        }
        return position
    }
}
