import BelfryCore

/// What an agent has called in one attempt at a step, as frames tell it. Of the last calls alone
/// (``Limits/snapshotCallsMax``), and of each the beginning of its arguments and of its answer
/// (``Limits/snapshotCallBytesMax``).
struct SnapshotCalls: Sendable {
    private enum State: String {
        /// It is called and not begun; a person may be asked about it.
        case asked
        /// The tool is at work.
        case working
        case done
        /// The tool has failed, or the call is not done: denied, not granted, not understood.
        case failed
        /// The attempt has ended without an answer to it.
        case cut
    }

    /// The beginning of a text, and how long all of it is.
    private struct Head {
        private(set) var text = ""
        private(set) var bytes = 0

        mutating func add(_ more: String) {
            let room = Limits.snapshotCallBytesMax - bytes
            bytes += more.utf8.count
            if room > 0 { text += more.cut(toBytes: room) }
        }
    }

    private struct Call {
        var id: String
        var name: String
        /// So many bytes of the step's text were said before it.
        var place: Int
        var state = State.asked
        var arguments = Head()
        var result: Head?
    }

    private var calls: [Call] = []
    private var dropped = 0

    var isEmpty: Bool { calls.isEmpty }

    /// What it takes in the snapshot, at least.
    var bytes: Int { calls.reduce(0) { $0 + $1.arguments.text.utf8.count + ($1.result?.text.utf8.count ?? 0) } }

    /// Adds a frame that names a call.
    /// - Parameter place: bytes of the step's text so far.
    mutating func add(_ type: FrameType, _ data: JSONValue, at place: Int) {
        let id = data["toolCallId"]?.string ?? ""
        if type == .toolCallStart {
            calls.append(Call(id: id, name: data["toolCallName"]?.string ?? "", place: place))
            guard calls.count > Limits.snapshotCallsMax else { return }
            calls.removeFirst()
            dropped += 1
        }
        guard let index = calls.lastIndex(where: { $0.id == id }) else { return }
        switch type {
        case .toolCallArgs: calls[index].arguments.add(data["delta"]?.string ?? "")
        case .stepState: calls[index].state = .working
        case .toolCallResult:
            calls[index].state = data["error"]?.bool == true ? .failed : .done
            var result = Head()
            result.add(data["content"]?.string ?? "")
            calls[index].result = result
        default: break
        }
    }

    /// A person has allowed a call with other arguments.
    mutating func change(_ id: String, to arguments: JSONValue) {
        guard let index = calls.lastIndex(where: { $0.id == id }) else { return }
        calls[index].arguments = Head()
        calls[index].arguments.add(arguments.text)
    }

    /// The attempt is over.
    mutating func end() {
        for index in calls.indices where calls[index].result == nil { calls[index].state = .cut }
    }

    /// The members `calls` and `calls_dropped` of a step.
    func write(to writer: inout JSONWriter) {
        guard !isEmpty else { return }
        writer.key("calls")
        writer.beginArray()
        for call in calls {
            writer.beginObject()
            writer.member("toolCallId", call.id)
            writer.member("toolCallName", call.name)
            writer.member("state", call.state.rawValue)
            writer.member("at", Int64(call.place))
            Self.write("arguments", call.arguments, to: &writer)
            if let result = call.result { Self.write("result", result, to: &writer) }
            writer.endObject()
        }
        writer.endArray()
        if dropped > 0 { writer.member("calls_dropped", Int64(dropped)) }
    }

    /// How long a text is stands beside one that is cut.
    private static func write(_ name: String, _ head: Head, to writer: inout JSONWriter) {
        writer.member(name, head.text)
        if head.text.utf8.count < head.bytes { writer.member("\(name)_bytes", Int64(head.bytes)) }
    }
}
