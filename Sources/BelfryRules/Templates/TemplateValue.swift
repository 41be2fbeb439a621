public import BelfryCore

/// A value of a document whose texts are templates: the body of a message. It becomes JSON after the values are put in,
/// so that no value can change its shape.
public indirect enum TemplateValue: Sendable, Hashable {
    /// A value without templates.
    case constant(JSONValue)
    /// A text. One that is exactly one `{{path}}` becomes the value itself, every other one a string.
    case text(Template)
    case array([TemplateValue])
    /// Keys are no templates.
    case object([Member])

    public struct Member: Sendable, Hashable {
        public var key: String
        public var value: TemplateValue

        public init(key: String, value: TemplateValue) {
            self.key = key
            self.value = value
        }
    }
}
