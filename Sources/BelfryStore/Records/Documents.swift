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

/// A document to be stored.
public struct DocumentDraft: Sendable, Hashable {
    public var kind: DocumentKind
    public var name: String
    public var text: String
    public var canonical: RawJSON
    /// The version it replaces (If-Match); 0: it must not be there yet; nil: whatever is there.
    public var expectedVersion: Int64?

    public init(
        kind: DocumentKind, name: String, text: String, canonical: RawJSON, expectedVersion: Int64? = nil
    ) {
        self.kind = kind
        self.name = name
        self.text = text
        self.canonical = canonical
        self.expectedVersion = expectedVersion
    }

    public var id: DocumentName { DocumentName(kind, name) }
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

    public init(
        owner: DocumentOwner, documents: [DocumentDraft] = [], removals: [DocumentName] = [],
        removesOthers: Bool = false, adopts: Bool = false
    ) {
        self.owner = owner
        self.documents = documents
        self.removals = removals
        self.removesOthers = removesOthers
        self.adopts = adopts
    }
}

/// What a plan did, or would do.
public struct AppliedPlan: Sendable, Hashable {
    public var created: [DocumentName]
    public var changed: [DocumentName]
    public var removed: [DocumentName]
    public var unchanged: Int
    /// After the plan; only a plan that changes something makes a new one.
    public var ruleSetVersion: Int64

    public var changesNothing: Bool { created.isEmpty && changed.isEmpty && removed.isEmpty }
}
