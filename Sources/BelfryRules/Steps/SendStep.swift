/// A step that posts a message: `send: { to: ops-slack, body: { text: "{{steps.diagnose.output}}" } }`.
public struct SendStep: Sendable, Hashable {
    /// The type of a message whose step gives none.
    public static let typeDefault = "belfry.step"

    /// A name of the server's `targets:` table; no template: events do not choose where data goes.
    public var target: String
    /// The message's type; nil: ``typeDefault``.
    public var type: Template?
    public var body: TemplateValue

    public init(target: String, type: Template? = nil, body: TemplateValue) {
        self.target = target
        self.type = type
        self.body = body
    }
}
