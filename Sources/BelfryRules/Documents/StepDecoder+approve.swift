import BelfryCore

/// Reads `approve` steps.
extension DocumentDecoder {
    mutating func approveStep(_ fields: Fields, _ scope: StepScope) -> ApproveStep? {
        let message = template(fields, "approve", isRequired: true)
        if let message { check(message, scope, in: fields, "approve") }
        let schema = schema(fields, "value")
        if let schema, schema.json["type"] != "object" {
            note(
                "must say type: object at the top: a decision carries a value by its fields",
                at: fields.line(of: "value"),
                fields.path(of: "value.schema"))
        }
        let expires = duration(fields, "expires", in: .seconds(1)...Limits.runTimeMax)
        let otherwise = choice(fields, "otherwise", of: ApproveStep.Otherwise.self)
        if otherwise == .approve, server.allowsOtherwiseApprove == false {
            note(
                "this server does not let silence approve; write otherwise: deny, or set approvals.allow_otherwise_approve "
                    + "in its configuration", in: fields, "otherwise")
        }
        let onDeny = choice(fields, "on_deny", of: ApproveStep.OnDeny.self)
        guard let message else { return nil }
        var step = ApproveStep(message: message)
        step.schema = schema
        step.expires = expires ?? step.expires
        step.otherwise = otherwise ?? step.otherwise
        step.onDeny = onDeny ?? step.onDeny
        return step
    }
}
