import BelfryAgents
import BelfryCore
import BelfryStore

/// What an agent or a command has said in one go.
struct Utterance: Sendable {
    var text = ""
    var usage = Usage()
    /// What the agent calls, complete.
    var calls: [Conversation.Call] = []
    var error: BelfryError?
    /// The open text message, if there is any text.
    var messageID: String?
}

/// Writes what is said in an attempt at a step to the log, as it comes.
struct StepLog: Sendable {
    let record: StepRecord
    let rule: String
    let services: RunServices
    let buffer: TokenBuffer

    init(record: StepRecord, rule: String, services: RunServices) {
        self.record = record
        self.rule = rule
        self.services = services
        buffer = TokenBuffer(store: services.store.post)
    }

    /// Waits until what was written until ``TokenBuffer/finish()`` is in the log; while the disk is full, too.
    func carry() async {
        do throws(BelfryError) {
            try await services.patiently { () throws(BelfryError) in try await buffer.drain() }
        } catch {
            // Shutdown: the step begins anew at the next start, with a new message.
            buffer.cancel()
        }
    }

    /// - Parameters:
    ///   - turn: counts what was said in this attempt, from 1.
    ///   - work: says it.
    func write(
        turn: Int = 1, _ work: (_ emit: (AgentOutput) async throws -> Void) async throws(BelfryError) -> Void
    ) async -> Utterance {
        let message = "\(record.name).\(record.attempt)" + (turn > 1 ? ".\(turn)" : "")
        var said = Utterance()
        var open: [Conversation.Call] = []
        do throws(BelfryError) {
            try await work { output in
                switch output {
                case .text(let delta) where !delta.isEmpty:
                    if said.messageID == nil {
                        said.messageID = message
                        await buffer.append(frame(.textMessageStart, message, ["role": "assistant"]))
                    }
                    said.text += delta
                    await buffer.append(frame(.textMessageContent, message, ["delta": .string(delta)]))
                case .toolCallStarted(let id, let name):
                    let number = open.count + said.calls.count + 1
                    let call = Conversation.Call(
                        id: "\(record.name).\(record.attempt).\(turn).\(number)",
                        asked: ToolCall(id: id, name: name, arguments: ""))
                    open.append(call)
                    var members: JSONObject = ["toolCallName": .string(name)]
                    if let parent = said.messageID { members["parentMessageId"] = .string(parent) }
                    await buffer.append(frame(.toolCallStart, call: call.id, members))
                case .toolCallArguments(let id, let delta):
                    guard let index = open.firstIndex(where: { $0.asked.id == id }) else { break }
                    open[index].asked.arguments += delta
                    await buffer.append(frame(.toolCallArgs, call: open[index].id, ["delta": .string(delta)]))
                case .toolCallEnded(let id):
                    guard let index = open.firstIndex(where: { $0.asked.id == id }) else { break }
                    let call = open.remove(at: index)
                    said.calls.append(call)
                    await buffer.append(frame(.toolCallEnd, call: call.id))
                case .usage(let usage): said.usage = usage
                case .log(let line):
                    await buffer.append(frame(.custom, message, ["name": "log", "value": .string(line)]))
                case .text, .started, .finished: break
                }
            }
            if !open.isEmpty { throw BelfryError(.outputInvalid, "the answer was cut in the middle of a tool call") }
        } catch {
            said.error = error
        }
        for call in open { await buffer.append(frame(.toolCallEnd, call: call.id)) }
        return said
    }

    /// More is said in the same attempt, in another message.
    func end(_ said: Utterance) async {
        if let message = said.messageID { await buffer.append(frame(.textMessageEnd, message)) }
    }

    /// A tool begins.
    func writeBegin(of call: String) async {
        await buffer.append(frame(.stepState, call: call, ["state": .string(StepState.running.rawValue)]))
    }

    /// What came of a call.
    func writeAnswer(to call: String, _ text: String, isError: Bool) async {
        var members: JSONObject = ["messageId": .string("\(call).answer"), "content": .string(text)]
        if isError { members["error"] = true }
        await buffer.append(frame(.toolCallResult, call: call, members))
    }

    private func frame(
        _ type: FrameType, _ message: String, _ members: KeyValuePairs<String, JSONValue> = [:]
    ) -> DraftFrame {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("step", record.name)
        writer.member("messageId", message)
        for (key, value) in members { writer.member(key, value) }
        writer.endObject()
        return frame(type, RawJSON(trusted: writer.bytes))
    }

    private func frame(_ type: FrameType, call: String, _ members: JSONObject = [:]) -> DraftFrame {
        var data: JSONObject = ["step": .string(record.name), "toolCallId": .string(call)]
        for member in members.members { data[member.key] = member.value }
        return frame(type, RawJSON(.object(data)))
    }

    private func frame(_ type: FrameType, _ data: RawJSON) -> DraftFrame {
        DraftFrame(
            time: services.now, topic: .run(record.run), run: record.run, rule: rule, type: type, data: data)
    }
}
