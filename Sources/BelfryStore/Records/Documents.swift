public import BelfryCore

/// Names a document.
public struct DocumentName: Sendable, Hashable, CustomStringConvertible {
    public var kind: DocumentKind
    public var name: String

    public init(_ kind: DocumentKind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// `rule/triage`
    public var description: String { "\(kind.rawValue)/\(name)" }
}

/// A document that holds now.
public struct DocumentRecord: Sendable, Hashable {
    public var kind: DocumentKind
    public var name: String
    public var owner: DocumentOwner
    /// Counts the changes of this document, from 1; never goes back, also after it was removed.
    public var version: Int64
    /// As its author wrote it.
    public var text: String
    /// What it means: sorted keys, one spelling.
    public var canonical: RawJSON
    public var updated: Timestamp
    public var updatedBy: String
    /// An operator's switch on rules (`belfry rules disable`), beside the document's own `enabled`.
    public var isEnabled: Bool
    /// An operator's switch on sources (`belfry sources pause`).
    public var isPaused: Bool

    public var id: DocumentName { DocumentName(kind, name) }
}

/// Everything that holds at one moment.
public struct DocumentSet: Sendable {
    public var ruleSetVersion: Int64
    /// `belfry pause`: events are stored, nothing starts.
    public var isAllPaused: Bool
    public var documents: [DocumentRecord]
}

/// One version of a document.
public struct DocumentVersion: Sendable, Hashable {
    public enum Change: String, Sendable, Hashable { case created, changed, removed }

    public var kind: DocumentKind
    public var name: String
    public var version: Int64
    public var owner: DocumentOwner
    public var change: Change
    public var text: String
    public var canonical: RawJSON
    public var created: Timestamp
    public var createdBy: String
}

/// A version as a list shows it: without its text.
public struct DocumentVersionSummary: Sendable, Hashable {
    public var version: Int64
    public var owner: DocumentOwner
    public var change: DocumentVersion.Change
    /// Top-level keys that differ from the version before: none for a change of comments; nil where that is not known.
    public var keys: [String]?
    /// The version whose content came back.
    public var restored: Int64?
    public var created: Timestamp
    public var createdBy: String
}

/// A document to be stored.
public struct DocumentDraft: Sendable, Hashable {
    public var kind: DocumentKind
    public var name: String
    public var text: String
    public var canonical: RawJSON
    /// The version of the same document whose content this is.
    public var restored: Int64?

    public init(
        kind: DocumentKind, name: String, text: String, canonical: RawJSON, restored: Int64? = nil
    ) {
        self.kind = kind
        self.name = name
        self.text = text
        self.canonical = canonical
        self.restored = restored
    }

    public var id: DocumentName { DocumentName(kind, name) }
}

/// What must be true of a document for a plan that changes it: nobody overwrites what they did not see.
public enum DocumentPrecondition: Sendable, Hashable {
    /// `If-Match: "3"`
    case version(Int64)
    /// `If-Match: *`
    case present
    /// `If-None-Match: *`
    case absent
}

/// A change of the documents, all or nothing. What is created, changed or left as it is, the store finds out itself.
public struct DocumentPlan: Sendable {
    /// Who the documents belong to afterwards.
    public var owner: DocumentOwner
    public var documents: [DocumentDraft]
    /// Documents to remove by name.
    public var removals: [DocumentName]
    /// Also removes every document of this owner that the plan does not name: a folder is the whole truth.
    public var removesOthers: Bool
    /// Takes over documents of the other owner instead of refusing.
    public var adopts: Bool
    /// Of documents that the plan changes or removes by name.
    public var preconditions: [DocumentName: DocumentPrecondition]

    public init(
        owner: DocumentOwner, documents: [DocumentDraft] = [], removals: [DocumentName] = [],
        removesOthers: Bool = false, adopts: Bool = false,
        preconditions: [DocumentName: DocumentPrecondition] = [:]
    ) {
        self.owner = owner
        self.documents = documents
        self.removals = removals
        self.removesOthers = removesOthers
        self.adopts = adopts
        self.preconditions = preconditions
    }
}

/// What a plan does to one document.
public struct DocumentChange: Sendable, Hashable {
    public var id: DocumentName
    public var change: DocumentVersion.Change
    /// What held before; nil for one that is created.
    public var before: DocumentRecord?
    /// What holds afterwards; nil for one that is removed.
    public var after: DocumentDraft?
    /// Top-level keys that differ; empty where only comments, layout or the owner do.
    public var keys: [String]
}

/// What a plan did, or would do.
public struct AppliedPlan: Sendable, Hashable {
    /// In the order of the plan, removals last.
    public var changes: [DocumentChange]
    public var unchanged: Int
    /// After the plan; only a plan that changes something makes a new one.
    public var ruleSetVersion: Int64

    public var created: [DocumentName] { names(.created) }
    public var changed: [DocumentName] { names(.changed) }
    public var removed: [DocumentName] { names(.removed) }

    private func names(_ change: DocumentVersion.Change) -> [DocumentName] {
        changes.filter { $0.change == change }.map(\.id)
    }
}
