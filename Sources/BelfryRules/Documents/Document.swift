public import BelfryCore

/// A source, agent or rule, checked.
public struct Document: Sendable {
    public enum Content: Sendable {
        case source(SourceDefinition)
        case agent(AgentDefinition)
        case rule(RuleDefinition)
    }

    public var kind: DocumentKind
    /// Unique within its kind.
    public var name: String
    /// As its author wrote it, with comments; of a file with several documents this one's part.
    public var text: String
    /// The same as JSON with sorted keys and no white space: what is stored and digested. Comments and layout do not
    /// change it.
    public var canonical: RawJSON
    public var content: Content
}
