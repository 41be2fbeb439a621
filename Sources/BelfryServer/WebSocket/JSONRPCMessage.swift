import BelfryCore

/// One text message of a client: a call, or a batch of calls (JSON-RPC 2.0). Pure.
struct JSONRPCMessage {
    var calls: [Result<JSONRPCCall, JSONRPCFailure>]
    /// Answers come as an array.
    var isBatch: Bool

    init(parsing text: some Sequence<UInt8>) {
        do {
            self.init(try JSONValue(parsing: text))
        } catch {
            self.init(failure: JSONRPCFault(.parseError, error.description))
        }
    }

    private init(_ value: JSONValue) {
        guard let elements = value.array else {
            self.init([JSONRPCCall.read(value)], isBatch: false)
            return
        }
        guard !elements.isEmpty, elements.count <= Limits.callsPerBatchMax else {
            self.init(failure: JSONRPCFault(.invalidRequest, "a batch has 1 to \(Limits.callsPerBatchMax) calls"))
            return
        }
        self.init(elements.map(JSONRPCCall.read), isBatch: true)
    }

    private init(failure fault: JSONRPCFault) {
        self.init([.failure(JSONRPCFailure(id: .null, fault: fault))], isBatch: false)
    }

    private init(_ calls: [Result<JSONRPCCall, JSONRPCFailure>], isBatch: Bool) {
        self.calls = calls
        self.isBatch = isBatch
    }
}

/// A call that has the form of one.
struct JSONRPCCall: Sendable {
    /// Nil: a notification, which is not answered. Null is an id.
    var id: JSONValue?
    var method: String
    /// Nil: none were given.
    var params: JSONValue?

    /// Of members that stand there twice the later counts, as everywhere here.
    static func read(_ value: JSONValue) -> Result<JSONRPCCall, JSONRPCFailure> {
        func invalid(_ text: String, id: JSONValue = .null) -> Result<JSONRPCCall, JSONRPCFailure> {
            .failure(JSONRPCFailure(id: id, fault: JSONRPCFault(.invalidRequest, text)))
        }
        guard let object = value.object else { return invalid("a call is an object") }
        let id = object["id"]
        switch id {
        case nil, .null: break
        case .string(let text) where text.utf8.count <= Limits.callIDBytesMax: break
        case .number(let number) where number.text.utf8.count <= Limits.callIDBytesMax: break
        default: return invalid("an id is a string or a number of at most \(Limits.callIDBytesMax) bytes")
        }
        guard let version = object["jsonrpc"]?.string, version.hasSameBytes(as: "2.0") else {
            return invalid(#"a call has "jsonrpc": "2.0""#, id: id ?? .null)
        }
        guard let method = object["method"]?.string else { return invalid("a method is a string", id: id ?? .null) }
        return .success(JSONRPCCall(id: id, method: method, params: object["params"]))
    }
}

extension Result where Success == JSONRPCCall, Failure == JSONRPCFailure {
    /// What its answer names; nil if it gets none.
    var answeredID: JSONValue? {
        switch self {
        case .success(let call): call.id
        case .failure(let failure): failure.id
        }
    }
}

/// Why a call is not done, as its sender reads it.
struct JSONRPCFault: Error, Sendable {
    /// Codes of the specification, section 5.1, and one of ours.
    enum Code: Int64, Sendable {
        case parseError = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParams = -32602
        /// What the hub says; `data` is its problem (RFC 9457).
        case problem = -32000
    }

    var code: Code
    var message: String
    var data: RawJSON?

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: BelfryError) {
        code = .problem
        message = error.message
        data = Problem(error).json
    }
}

/// A fault, and the call it answers.
struct JSONRPCFailure: Error, Sendable {
    var id: JSONValue
    var fault: JSONRPCFault
}

/// Writes answers.
enum JSONRPCAnswer {
    static func result(_ result: JSONObject, id: JSONValue) -> RawJSON {
        write(id) { $0.member("result", .object(result)) }
    }

    static func fault(_ fault: JSONRPCFault, id: JSONValue) -> RawJSON {
        write(id) { writer in
            writer.key("error")
            writer.beginObject()
            writer.member("code", fault.code.rawValue)
            writer.member("message", fault.message)
            if let data = fault.data { writer.member("data", raw: data) }
            writer.endObject()
        }
    }

    /// Several as one message.
    static func batch(_ answers: [RawJSON]) -> RawJSON {
        var writer = JSONWriter(reservingCapacity: answers.reduce(2) { $0 + $1.bytes.count + 1 })
        writer.beginArray()
        for answer in answers { writer.raw(answer.bytes) }
        writer.endArray()
        return RawJSON(trusted: writer.bytes)
    }

    private static func write(_ id: JSONValue, _ body: (inout JSONWriter) -> Void) -> RawJSON {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("jsonrpc", "2.0")
        writer.member("id", id)
        body(&writer)
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }
}
