import BelfryCore
import BelfryHTTP

/// Reads the stream of an app of Dify. The events of its nodes, its agent's thoughts, files and speech are left out.
struct DifyAnswer: ProviderAnswer {
    let app: AgentDefinition.DifySettings.App
    private(set) var isDone = false
    /// The first that the stream names; nil again when Dify itself says that it is over.
    private(set) var runningTask: String?
    private var events = ProviderEvents()
    /// What was said, as far as a replacement may have to be compared with it.
    private var text = ""
    private var hasFinishedWorkflow = false

    init(app: AgentDefinition.DifySettings.App) { self.app = app }

    mutating func read(_ bytes: [UInt8], into items: inout [AgentOutput]) throws(ProviderFailure) {
        for event in try events.events(bytes) where !isDone {
            let value = try ProviderEvents.value(event.data)
            if runningTask == nil { runningTask = value["task_id"]?.string.flatMap { Self.isTask($0) ? $0 : nil } }
            do throws(ProviderFailure) {
                try read(value["event"]?.string ?? event.type, value, into: &items)
            } catch {
                runningTask = nil
                throw error
            }
        }
    }

    mutating func finish(into items: inout [AgentOutput]) throws(ProviderFailure) {
        guard hasFinishedWorkflow else { throw .endedEarly }
        complete(.stop, into: &items)
    }

    /// It becomes a part of a URL.
    private static func isTask(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }

    private mutating func read(
        _ event: String, _ value: JSONValue, into items: inout [AgentOutput]
    ) throws(ProviderFailure) {
        switch event {
        case "message", "agent_message": say(value["answer"], into: &items)
        case "text_chunk": say(value["data"]?["text"], into: &items)
        case "message_replace": try replace(value["answer"]?.string ?? "", into: &items)
        case "message_end":
            readUsage(value["metadata"]?["usage"], into: &items)
            complete(.stop, into: &items)
        case "workflow_finished": try finishWorkflow(value["data"], into: &items)
        case "error": throw ProviderFailure(reportedIn: value)
        case "workflow_paused", "human_input_required":
            throw ProviderFailure("the workflow waits for a person in Dify, whose answer this run can't see")
        default: break
        }
    }

    private mutating func say(_ value: JSONValue?, into items: inout [AgentOutput]) {
        guard let piece = value?.string, !piece.isEmpty else { return }
        text += piece
        items.append(.text(piece))
    }

    /// Dify's moderation puts another text in the place of what was said. That can't be taken back; a longer one can be
    /// completed.
    private mutating func replace(_ answer: String, into items: inout [AgentOutput]) throws(ProviderFailure) {
        guard answer.utf8.starts(with: text.utf8) else { throw .heldBack(answer) }
        say(.string(String(decoding: Array(answer.utf8.dropFirst(text.utf8.count)), as: UTF8.self)), into: &items)
    }

    private mutating func finishWorkflow(
        _ data: JSONValue?, into items: inout [AgentOutput]
    ) throws(ProviderFailure) {
        let status = data?["status"]?.string ?? "succeeded"
        guard ["succeeded", "partial-succeeded"].contains(status) else {
            let words = data?["error"]?.string.map { ": \(ProviderMessage.cut($0))" } ?? ""
            throw ProviderFailure("the workflow ended as \(ProviderMessage.cut(status))\(words)")
        }
        hasFinishedWorkflow = true
        // A chat goes on to its `message_end`, which tells the usage.
        guard app == .workflow else { return }
        if text.isEmpty { say(Self.output(data?["outputs"]), into: &items) }
        readUsage(data, into: &items)
        complete(status == "succeeded" ? .stop : FinishReason(rawValue: status), into: &items)
    }

    /// What a workflow that said nothing on its way has made: its one text, else all of it as JSON.
    private static func output(_ outputs: JSONValue?) -> JSONValue? {
        guard let outputs, let members = outputs.object?.members, !members.isEmpty else { return nil }
        if members.count == 1, let text = members[0].value.string { return .string(text) }
        return .string(outputs.text)
    }

    private mutating func complete(_ reason: FinishReason, into items: inout [AgentOutput]) {
        isDone = true
        runningTask = nil
        items.append(.finished(reason))
    }

    /// Where Dify tells the total alone, it counts as written.
    private func readUsage(_ usage: JSONValue?, into items: inout [AgentOutput]) {
        let (read, written) = (usage?["prompt_tokens"]?.tokenCount, usage?["completion_tokens"]?.tokenCount)
        if read != nil || written != nil {
            items.append(.usage(Usage(inputTokens: read, outputTokens: written)))
        } else if let total = usage?["total_tokens"]?.tokenCount {
            items.append(.usage(Usage(inputTokens: 0, outputTokens: total)))
        }
    }
}
