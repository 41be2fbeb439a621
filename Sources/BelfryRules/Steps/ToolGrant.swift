public import BelfryCore

/// A tool that an agent may call in a step: what is not granted can't be called. The model chooses when and with which
/// arguments; what the tool does with them, and where, is the rule's and the server's to say.
public struct ToolGrant: Sendable, Hashable {
    public enum Action: Sendable, Hashable {
        /// As a `command` step: the first names a command of the server's `commands:` table; see ``CommandArguments``.
        /// The call's arguments are on the command's input too, as JSON.
        case command([Template])
        case http(HTTPTool)
        case emit(EmitTool)
    }

    /// What the model calls it by: letters, digits, `_` and `-`, at most ``Limits/nameBytesMax``. Unique in its step.
    public var name: String
    /// Tells the model what the tool is for.
    public var about: String
    public var action: Action
    /// Key `input: {schema}`: of the call's arguments, an object; arguments that break it never reach the tool.
    public var input: JSONSchema
    /// Key `approve`: whether a person is asked before each call. Without the key: if the call may have an effect.
    public var asks: Bool
    /// How long that person has; a call that nobody decides is not done, and the model is told.
    public var expires: Duration = Limits.approvalLifetimeDefault

    /// - Parameter asks: nil: if the call may have an effect.
    public init(name: String, about: String, action: Action, input: JSONSchema, asks: Bool? = nil) {
        self.name = name
        self.about = about
        self.action = action
        self.input = input
        self.asks = asks ?? action.hasEffects
    }

    /// What templates of a tool may begin a path with: the call's arguments too.
    public static let templateRoots = Template.stepRoots.union([inputRoot])

    static let inputRoot = "input"
}

/// A tool that asks a target over HTTP: `http: { to: plant-api, query: { pump: "{{input.pump}}" } }` is a GET with these
/// parameters, `http: { to: plant-api, body: { pump: "{{input.pump}}" } }` a POST as of a `send` step.
public struct HTTPTool: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        /// GET. The values are encoded after they were rendered, so that none can add a parameter.
        case query([QueryItem])
        /// POST.
        case body(TemplateValue)
    }

    public struct QueryItem: Sendable, Hashable {
        public var name: String
        public var value: Template
    }

    /// A name of the server's `targets:` table; no template: neither events nor models choose where data goes.
    public var target: String
    public var content: Content
}

/// A tool that makes an event, which rules may match: `emit: { type: pump.alarm, data: { pump: "{{input.pump}}" } }`. Its
/// source is ``Event/ownSource``, and it counts one hop more than the event that the run is about.
public struct EmitTool: Sendable, Hashable {
    /// No template: a model does not choose which rules it sets off.
    public var type: String
    public var subject: Template?
    /// Nil: the call's arguments.
    public var data: TemplateValue?
}

extension ToolGrant.Action {
    /// Whether a call may change anything: then it is not done again after a crash.
    public var hasEffects: Bool {
        switch self {
        case .command, .emit: true
        case .http(let tool): if case .query = tool.content { false } else { true }
        }
    }

    /// Whether a template of it asks for something below a root (``ToolGrant/templateRoots``).
    public func asksFor(root: String) -> Bool { templates.contains { $0.asksFor(root: root) } }

    /// All templates.
    var templates: [Template] {
        switch self {
        case .command(let templates): templates
        case .http(let tool):
            switch tool.content {
            case .query(let items): items.map(\.value)
            case .body(let body): body.templates
            }
        case .emit(let tool): (tool.subject.map { [$0] } ?? []) + (tool.data?.templates ?? [])
        }
    }
}
