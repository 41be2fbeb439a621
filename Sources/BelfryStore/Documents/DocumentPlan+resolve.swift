import BelfryCore

extension DocumentPlan {
    /// What a plan comes to against the documents that hold.
    struct Resolution {
        struct Change {
            var draft: DocumentDraft
            var change: DocumentVersion.Change
        }

        var changes: [Change] = []
        var removals: [DocumentRecord] = []
        var unchanged = 0

        func applied(ruleSetVersion: Int64) -> AppliedPlan {
            AppliedPlan(
                created: changes.filter { $0.change == .created }.map(\.draft.id),
                changed: changes.filter { $0.change == .changed }.map(\.draft.id),
                removed: removals.map(\.id), unchanged: unchanged, ruleSetVersion: ruleSetVersion
            )
        }
    }

    /// Works out what the plan does. Pure: the same rows give the same answer to a preview and to the real thing.
    func resolve(against current: [DocumentRecord]) throws(BelfryError) -> Resolution {
        let stored = Dictionary(current.map { ($0.id, $0) }) { first, _ in first }
        var resolution = Resolution()
        var named: Set<DocumentName> = []
        for draft in documents {
            guard named.insert(draft.id).inserted else {
                throw BelfryError(.conflict, "\(draft.id) stands in the plan twice")
            }
            let record = stored[draft.id]
            try checkVersion(of: draft, record)
            guard let record else {
                resolution.changes.append(.init(draft: draft, change: .created))
                continue
            }
            let isSame = record.canonical == draft.canonical && record.text.hasSameBytes(as: draft.text)
            if record.owner == owner, isSame {
                resolution.unchanged += 1
            } else {
                try checkOwner(of: record)
                resolution.changes.append(.init(draft: draft, change: .changed))
            }
        }
        for name in removals {
            guard let record = stored[name] else { throw BelfryError(.notFound, "there is no \(name)") }
            guard named.insert(name).inserted else {
                throw BelfryError(.conflict, "the plan removes \(name) and also names it elsewhere")
            }
            try checkOwner(of: record)
            resolution.removals.append(record)
        }
        if removesOthers {
            resolution.removals += current.filter { $0.owner == owner && !named.contains($0.id) }
        }
        return resolution
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
                .managedByFile, "\(record.id) comes from the rules folder: change it there, or adopt it",
                details: details
            )
        case .api:
            throw BelfryError(
                .conflict, "\(record.id) was made through the API: remove it there first, or adopt it",
                details: details
            )
        }
    }

    private func checkVersion(of draft: DocumentDraft, _ record: DocumentRecord?) throws(BelfryError) {
        guard let expected = draft.expectedVersion, expected != record?.version ?? 0 else { return }
        throw BelfryError(
            .preconditionFailed, "\(draft.id) is at version \(record?.version ?? 0), not \(expected)",
            details: JSONObject([.init(key: "version", value: .int(record?.version ?? 0))])
        )
    }
}
