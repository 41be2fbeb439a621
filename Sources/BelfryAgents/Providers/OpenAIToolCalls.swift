import BelfryCore

/// Puts the tool calls of a chat completion together: id and name come in a call's first delta, arguments in pieces.
///
/// A call is known by its `index`. Servers that leave it out send whole calls, or go on with the last one; some give
/// every call the index 0 and another id; some give no id.
struct OpenAIToolCalls: Sendable {
    private struct Call {
        var index: Int64?
        /// As the server gives it; ids that are shown are made unique.
        var serverID: String
        /// Nil until the name is known.
        var id: String?
        /// Arguments that came before the name.
        var held = ""
    }

    private var calls: [Call] = []

    /// Takes the `tool_calls` of one delta.
    mutating func read(_ deltas: [JSONValue], into items: inout [AgentOutput]) throws(ProviderFailure) {
        for delta in deltas where delta.object != nil {
            let place = try place(of: delta)
            if calls[place].id == nil, let name = delta["function"]?["name"]?.string, !name.isEmpty {
                guard name.utf8.count <= Limits.toolCallNameBytesMax else {
                    throw ProviderFailure("the provider calls a tool whose name is too long")
                }
                let id = freeID(for: calls[place].serverID)
                calls[place].id = id
                items.append(.toolCallStarted(id: id, name: name))
                if !calls[place].held.isEmpty {
                    items.append(.toolCallArguments(id: id, delta: calls[place].held))
                    calls[place].held = ""
                }
            }
            let arguments = Self.arguments(delta["function"]?["arguments"])
            guard !arguments.isEmpty else { continue }
            if let id = calls[place].id {
                items.append(.toolCallArguments(id: id, delta: arguments))
            } else {
                guard calls[place].held.utf8.count + arguments.utf8.count <= Limits.stepOutputBytesMax else {
                    throw Self.nameless
                }
                calls[place].held += arguments
            }
        }
    }

    /// The answer is complete, and so are its calls.
    mutating func end(into items: inout [AgentOutput]) throws(ProviderFailure) {
        for call in calls {
            guard let id = call.id else { throw Self.nameless }
            items.append(.toolCallEnded(id: id))
        }
        calls = []
    }

    /// Where the call of a delta stands; a new one is added.
    private mutating func place(of delta: JSONValue) throws(ProviderFailure) -> Int {
        let index = delta["index"]?.number?.int64
        let id = delta["id"]?.string ?? ""
        let known: Int? =
            if let index {
                calls.lastIndex { $0.index == index && (id.isEmpty || $0.serverID.isEmpty || $0.serverID == id) }
            } else if id.isEmpty {
                // With a name of its own it is another whole call.
                delta["function"]?["name"]?.string?.isEmpty == false ? nil : calls.indices.last
            } else {
                calls.lastIndex { $0.serverID == id }
            }
        if let known { return known }
        guard calls.count < Limits.toolCallsPerAnswerMax else {
            throw ProviderFailure("the provider calls more than \(Limits.toolCallsPerAnswerMax) tools in one answer")
        }
        guard id.utf8.count <= Limits.toolCallNameBytesMax else {
            throw ProviderFailure("the provider gives a tool call an id that is too long")
        }
        calls.append(Call(index: index, serverID: id))
        return calls.count - 1
    }

    private func freeID(for serverID: String) -> String {
        let base = serverID.isEmpty ? "call_\(calls.count - 1)" : serverID
        var id = base
        var number = 2
        while calls.contains(where: { $0.id == id }) {
            id = "\(base)-\(number)"
            number += 1
        }
        return id
    }

    /// Text, or with servers that know better the object itself.
    private static func arguments(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text): text
        case .object?: value?.text ?? ""
        default: ""
        }
    }

    private static let nameless = ProviderFailure("the provider calls a tool without a name")
}
