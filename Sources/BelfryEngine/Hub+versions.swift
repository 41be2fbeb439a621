public import BelfryCore
import BelfryRules
public import BelfryStore

/// The versions of a document: every change makes one, and each can be seen, compared and brought back.
extension Hub {
    /// `{version, change, owner, created, by, keys, restored?}` per version, newest first; `keys` are the top-level keys
    /// that differ from the version before.
    /// - Throws: `not_found` if there never was such a document.
    public func versions(
        of id: DocumentName, limit: Int, cursor: String?
    ) async throws(BelfryError) -> Page<JSONObject> {
        let page: Page<DocumentVersionSummary>
        do throws(BelfryError) {
            page = try await store.history(of: id, cursor: cursor, max: limit)
        } catch  where error.code == .notFound {
            throw unknown(id)
        }
        return Page(items: page.items.map(\.json), next: page.next)
    }

    /// `{name, version, change, owner, created, by, text, document}`
    /// - Throws: `not_found`.
    public func version(_ version: Int64, of id: DocumentName) async throws(BelfryError) -> JSONObject {
        let stored = try await storedVersion(version, of: id)
        return [
            "name": .string(id.name), "version": .int(version), "change": .string(stored.change.rawValue),
            "owner": .string(stored.owner.rawValue), "created": .string(stored.created.description),
            "by": .string(stored.createdBy), "text": .string(stored.text), "document": stored.canonical.value,
        ]
    }

    /// `{document, from, to, keys, diff}`: what changed between two versions, as `diff -u` shows it; an empty `diff` where
    /// nothing did.
    /// - Parameters:
    ///   - from: nil: the version before `to`; 0: before there was any.
    ///   - to: nil: the last version.
    /// - Throws: `not_found`.
    public func difference(
        of id: DocumentName, from: Int64?, to: Int64?
    ) async throws(BelfryError) -> JSONObject {
        var last = to
        if last == nil {
            last = try await versions(of: id, limit: 1, cursor: nil).items.first?["version"]?.number?.int64
        }
        let new = try await storedVersion(last ?? 1, of: id)
        let from = from ?? new.version - 1
        let old = from > 0 ? try await storedVersion(from, of: id) : nil
        let keys = DocumentChange.differingKeys(old?.meaning ?? [:], new.meaning)
        return [
            "document": .string(id.description), "from": .int(from), "to": .int(new.version),
            "keys": .array(keys.map(JSONValue.string)),
            "diff": .string(DocumentContent.difference(from: old?.content, to: new.content)),
        ]
    }

    /// Of the document that holds now; nil if there is none.
    public func currentVersion(of id: DocumentName) -> Int64? { registry.snapshot.records[id]?.version }

    /// Brings the content of an old version back, as a new version; also of a document that was removed. What that version
    /// names must be there today.
    /// - Parameter adopts: takes the document over if files own it, instead of refusing.
    /// - Returns: what it changed; nil where the content is the same today.
    /// - Throws: `not_found`, `managed_by_file`, `precondition_failed`, `invalid_document`; `conflict` for a version that
    ///   is a removal.
    public func rollBack(
        _ id: DocumentName, to version: Int64, precondition: DocumentPrecondition? = nil, adopts: Bool = false,
        by principal: Principal
    ) async throws(BelfryError) -> DocumentChange? {
        let stored = try await storedVersion(version, of: id)
        guard stored.change != .removed else {
            throw BelfryError(
                .conflict, "version \(version) of \(id) is its removal; version \(version - 1) is what was removed")
        }
        if !adopts, registry.snapshot.records[id]?.owner == .file {
            throw BelfryError(
                .managedByFile,
                "\(id) comes from the rules folder, which would put its own text back: restore version \(version) there, "
                    + "or adopt it and take it out of the folder",
                details: ["document": .string(id.description), "owner": .string(DocumentOwner.file.rawValue)]
            )
        }
        return try await put(
            id, text: stored.text, path: "version \(version)", restored: version, precondition: precondition,
            adopts: adopts, by: principal
        ).changes.first
    }

    private func storedVersion(_ version: Int64, of id: DocumentName) async throws(BelfryError) -> DocumentVersion {
        do throws(BelfryError) {
            return try await store.version(version, of: id)
        } catch  where error.code == .notFound {
            // Whoever names what never was gets the name that may have been meant.
            _ = try await versions(of: id, limit: 1, cursor: nil)
            throw error
        }
    }
}

extension DocumentChange {
    /// What it changes, as `diff -u` shows it.
    public var difference: String {
        DocumentContent.difference(
            from: before.map {
                DocumentContent(label: "\(id) version \($0.version)", text: $0.text, canonical: $0.canonical)
            },
            to: after.map { DocumentContent(label: "\(id)", text: $0.text, canonical: $0.canonical) }
        )
    }
}

extension DocumentVersion {
    /// Nil for a removal: nothing is there then.
    fileprivate var content: DocumentContent? {
        guard change != .removed else { return nil }
        let label = "\(kind.rawValue)/\(name) version \(version) (\(created), by \(createdBy))"
        return DocumentContent(label: label, text: text, canonical: canonical)
    }

    fileprivate var meaning: JSONValue { change == .removed ? [:] : canonical.value }
}

extension DocumentVersionSummary {
    fileprivate var json: JSONObject {
        var json: JSONObject = [
            "version": .int(version), "change": .string(change.rawValue), "owner": .string(owner.rawValue),
            "created": .string(created.description), "by": .string(createdBy),
            "keys": keys.map { .array($0.map(JSONValue.string)) } ?? .null,
        ]
        if let restored { json["restored"] = .int(restored) }
        return json
    }
}
