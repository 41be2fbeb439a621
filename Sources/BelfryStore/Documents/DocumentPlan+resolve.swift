public import BelfryCore

extension DocumentPlan {
    /// The documents that ``resolve(against:)`` must know; nil for all that there are.
    var touched: [DocumentName]? { removesOthers ? nil : documents.map(\.id) + removals }

    /// Works out what the plan does. Pure: the same rows give the same answer to a preview and to the real thing.
    /// - Parameter current: those of ``touched`` that there are.
    func resolve(against current: DocumentSet) throws(BelfryError) -> AppliedPlan {
        let stored = Dictionary(current.documents.map { ($0.id, $0) }) { first, _ in first }
        var resolved = AppliedPlan(changes: [], unchanged: 0, ruleSetVersion: current.ruleSetVersion)
        var named: Set<DocumentName> = []
        for draft in documents {
            guard named.insert(draft.id).inserted else {
                throw BelfryError(.conflict, "\(draft.id) stands in the plan twice")
            }
            let record = stored[draft.id]
            try checkPrecondition(of: draft.id, record)
            guard let record else {
                resolved.changes.append(DocumentChange(from: nil, to: draft))
                continue
            }
            let isSame = record.canonical == draft.canonical && record.text.hasSameBytes(as: draft.text)
            if record.owner == owner, isSame {
                resolved.unchanged += 1
            } else {
                try checkOwner(of: record)
                resolved.changes.append(DocumentChange(from: record, to: draft))
            }
        }
        for name in removals {
            guard let record = stored[name] else { throw BelfryError(.notFound, "there is no \(name)") }
            guard named.insert(name).inserted else {
                throw BelfryError(.conflict, "the plan removes \(name) and also names it elsewhere")
            }
            try checkPrecondition(of: name, record)
            try checkOwner(of: record)
            resolved.changes.append(DocumentChange(removing: record))
        }
        if removesOthers {
            resolved.changes += current.documents.filter { $0.owner == owner && !named.contains($0.id) }
                .map(DocumentChange.init(removing:))
        }
        return resolved
    }

    private func checkOwner(of record: DocumentRecord) throws(BelfryError) {
        guard record.owner != owner, !adopts else { return }
        let details = JSONObject([
            .init(key: "document", value: .string(record.id.description)),
            .init(key: "owner", value: .string(record.owner.rawValue)),
        ])
        switch record.owner {
        case .file:
            throw BelfryError(
                .managedByFile,
                "\(record.id) comes from the rules folder: change it there, or take it over (apply --adopt)",
                details: details
            )
        case .api:
            throw BelfryError(
                .conflict, "\(record.id) was made through the API: remove it there first, or take it out of the folder",
                details: details
            )
        }
    }

    private func checkPrecondition(of name: DocumentName, _ record: DocumentRecord?) throws(BelfryError) {
        let wanted: String
        switch preconditions[name] {
        case .version(let version)?:
            if record?.version == version { return }
            wanted = "not \(version)"
        case .present?:
            if record != nil { return }
            wanted = "and was to be there"
        case .absent?:
            if record == nil { return }
            wanted = "and was not to be there"
        case nil: return
        }
        guard let record else {
            throw BelfryError(
                .preconditionFailed, "\(name) is not there\(wanted.hasPrefix("and") ? ", \(wanted)" : "")",
                details: ["document": .string(name.description), "version": 0]
            )
        }
        throw BelfryError(
            .preconditionFailed,
            "\(name) is at version \(record.version) (\(record.updated), by \(record.updatedBy)), \(wanted)",
            details: ["document": .string(name.description), "version": .int(record.version)]
        )
    }
}

extension DocumentChange {
    init(from before: DocumentRecord?, to after: DocumentDraft) {
        self.init(
            id: after.id, change: before == nil ? .created : .changed, before: before, after: after,
            keys: before.map { Self.differingKeys($0.canonical.value, after.canonical.value) } ?? []
        )
    }

    init(removing record: DocumentRecord) {
        self.init(id: record.id, change: .removed, before: record, after: nil, keys: [])
    }

    /// The top-level keys whose values differ between two documents, in the order of their names.
    public static func differingKeys(_ left: JSONValue, _ right: JSONValue) -> [String] {
        let keys = Set((left.object?.members ?? []).map(\.key)).union((right.object?.members ?? []).map(\.key))
        return keys.filter { left[$0]?.canonicalEncoded() != right[$0]?.canonicalEncoded() }.sorted()
    }
}
