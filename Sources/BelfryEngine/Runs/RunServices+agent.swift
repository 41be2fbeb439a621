import BelfryAgents
import BelfryCore
import BelfryRules

extension RunServices {
    /// Makes an agent ready to be asked: reads its secrets, finds its program, renders what its own templates say into
    /// the request.
    /// - Parameters:
    ///   - request: has its prompt.
    ///   - context: what templates see.
    ///   - missing: gets the template paths that had no value.
    func agent(
        _ definition: AgentDefinition, for request: inout AgentRequest, context: JSONObject, missing: inout [String]
    ) throws(BelfryError) -> any Agent {
        var secrets: [SecretReference: Secret] = [:]
        for reference in definition.secretReferences {
            secrets[reference] = try configuration.secrets.resolve(reference)
        }
        switch definition.kind {
        case .echo(let settings):
            if let text = settings.text {
                let rendered = try definition.template(text).render(.object(context), as: .plain)
                missing += rendered.missing
                request.prompt = rendered.text
            }
        case .openai, .anthropic: break
        case .dify, .http: request.body = try definition.body(for: request, context, missing: &missing)
        case .command(let settings):
            var templates: [Template] = []
            for argument in settings.arguments { templates.append(try definition.template(argument)) }
            let arguments = try CommandArguments.render(templates, .object(context), missing: &missing)
            request.program = try configuration.program(named: arguments[0])
            request.arguments = Array(arguments.dropFirst())
        }
        return Agents.make(definition, secrets: secrets, http: http, commands: commands)
    }
}

extension AgentDefinition {
    /// A text of its document that is a template.
    func template(_ text: String) throws(BelfryError) -> Template {
        do {
            return try Template(parsing: text, roots: Template.stepRoots)
        } catch {
            throw BelfryError(.invalidDocument, "agent \(name): \(error)")
        }
    }

    fileprivate func body(
        for request: AgentRequest, _ known: JSONObject, missing: inout [String]
    ) throws(BelfryError) -> JSONValue? {
        guard let body else { return nil }
        let template: TemplateValue
        do {
            template = try TemplateValue(body, roots: Template.agentRoots)
        } catch {
            throw BelfryError(.invalidDocument, "agent \(name): \(error)")
        }
        var context = known
        context["prompt"] = .string(request.prompt)
        context["step"] = .string(request.step)
        return try template.render(.object(context), missing: &missing)
    }
}
