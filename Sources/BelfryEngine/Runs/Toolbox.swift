import BelfryAgents
import BelfryCore
import BelfryRules
import BelfryStore

/// Does what an agent calls in a step. Only what the rule grants can be called, with arguments that satisfy the tool's
/// schema; who may have been asked before is for the caller to see to.
///
/// Tools of another origin, such as an MCP server, are one more ``ToolGrant/Action`` and one more case of ``perform(_:id:within:)``.
struct Toolbox: Sendable {
    let run: RunRecord
    let step: String
    let event: Event
    let grants: [ToolGrant]
    /// What templates see, but for the call's arguments.
    let context: JSONObject
    let services: RunServices

    /// What the model is told of.
    var definitions: [ToolDefinition] {
        grants.map { ToolDefinition(name: $0.name, description: $0.about, parameters: $0.input.json) }
    }

    /// A call that may be done.
    struct Ready: Sendable {
        var grant: ToolGrant
        var arguments: JSONValue
    }

    /// Why a call can't be done, in words for the model.
    struct Refusal: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    func check(_ call: ToolCall) throws(Refusal) -> Ready {
        guard let grant = grants.first(where: { $0.name.hasSameBytes(as: call.name) }) else {
            let known = grants.map(\.name).joined(separator: ", ")
            throw Refusal("There is no tool \(call.name.plain(bytesMax: 80)). Tools: \(known).")
        }
        guard call.arguments.utf8.count <= Limits.toolArgumentsBytesMax else {
            throw Refusal("The arguments have more than \(Limits.toolArgumentsBytesMax) bytes.")
        }
        let text = call.arguments.isEmpty ? "{}" : call.arguments
        guard let arguments = try? JSONValue(parsing: Array(text.utf8)) else {
            throw Refusal("The arguments are not JSON.")
        }
        try check(arguments, of: grant)
        return Ready(grant: grant, arguments: arguments)
    }

    func check(_ arguments: JSONValue, of grant: ToolGrant) throws(Refusal) {
        let faults = grant.input.faults(in: arguments, named: "arguments").map(\.description)
        guard faults.isEmpty else {
            throw Refusal(
                "The arguments do not fit the tool's schema: "
                    + faults.joined(separator: "; ").plain(bytesMax: Limits.errorTextBytesMax))
        }
    }

    /// Does a call.
    /// - Parameters:
    ///   - id: of the call, unique in the run.
    ///   - time: what is left of the step's.
    /// - Returns: what the model is told, at most ``Limits/toolAnswerBytesMax``.
    func perform(_ call: Ready, id: String, within time: Duration) async throws(BelfryError) -> String {
        var context = context
        context["input"] = call.arguments
        let answer: String
        switch call.grant.action {
        case .command(let templates): answer = try await command(templates, call, .object(context), within: time)
        case .http(let tool): answer = try await ask(tool, .object(context), id: id, within: time)
        case .emit(let tool): answer = try await emit(tool, call.arguments, .object(context), id: id)
        }
        let most = Limits.toolAnswerBytesMax
        return answer.utf8.count <= most ? answer : answer.cut(toBytes: most) + "\n[cut after \(most) bytes]"
    }

    private func command(
        _ templates: [Template], _ call: Ready, _ context: JSONValue, within time: Duration
    ) async throws(BelfryError) -> String {
        var missing: [String] = []
        let arguments = try CommandArguments.render(templates, context, missing: &missing)
        var request = CommandRequest(
            program: try services.configuration.program(named: arguments[0]), arguments: Array(arguments.dropFirst()),
            input: call.arguments.encoded(), run: run.id, step: step, timeout: time,
            outputBytesMax: Limits.stepOutputBytesMax)
        request.hops = Hops.next(after: event.hops)
        var text = ""
        try await services.commands.run(request) { output in
            if case .text(let delta) = output { text += delta }
        }
        return text
    }

    private func ask(
        _ tool: HTTPTool, _ context: JSONValue, id: String, within time: Duration
    ) async throws(BelfryError) -> String {
        var missing: [String] = []
        var work = SendWork(
            target: tool.target, body: [], webhookID: SendWork.webhookID(run: run.id, step: id), type: "belfry.tool",
            created: services.now, hops: event.hops, attempt: 1)
        work.isBare = true
        work.answerBytesMax = Limits.toolAnswerBytesMax
        work.timeout = min(time, Limits.sendTimeout)
        switch tool.content {
        case .query(let items):
            work.query = items.map { item in
                let value = item.value.render(context, as: .plain, bytesMax: Limits.commandArgumentBytesMax)
                return (item.name, value.text.cut(toBytes: Limits.commandArgumentBytesMax))
            }
        case .body(let body):
            work.body = try body.render(
                context, as: .values, missing: &missing, bytesMax: Limits.sendBodyBytesMax
            ).encoded()
        }
        switch await services.sends.perform(work) {
        case .delivered(_, let text): return text
        case .again(_, let error), .failed(let error): throw error
        }
    }

    /// The event's key is the call's id: made twice, it is one event.
    private func emit(
        _ tool: EmitTool, _ arguments: JSONValue, _ context: JSONValue, id: String
    ) async throws(BelfryError) -> String {
        var missing: [String] = []
        let data = try tool.data?.render(
            context, as: .values, missing: &missing, bytesMax: Limits.sendBodyBytesMax)
        let subject = tool.subject?.render(context, as: .plain, bytesMax: Limits.attributeBytesMax).text
        let now = services.now
        var made = Event(
            id: EventID(at: now), source: Event.ownSource, key: "\(run.id)/\(id)", type: tool.type,
            subject: subject?.cut(toBytes: Limits.attributeBytesMax), time: now, received: now, remote: "local",
            data: RawJSON(data ?? arguments))
        made.hops = Hops.next(after: event.hops)
        let snapshot = services.registry.snapshot
        let item = AcceptedDelivery.Item(event: made, matches: snapshot.ruleSet.requests(of: made, services.logger))
        var delivery = AcceptedDelivery(
            source: made.source, remote: made.remote, verifiedBy: "run/\(run.id)",
            ruleSetVersion: snapshot.ruleSet.version, items: [item])
        delivery.generation = snapshot.generation
        let accepted = try await services.registry.accept(delivery)
        return "event \(accepted.first?.event ?? made.id)"
    }
}
