import BelfryCore

/// The bytes of an event's fields.
struct FieldText {
    /// The text that was walked.
    let text: UnsafeBufferPointer<UInt8>
    /// ``FieldList/copies``
    let copies: UnsafeBufferPointer<UInt8>

    @inline(__always)
    subscript(field: WalkedField) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: (field.isCopy ? copies : text)[Int(field.start)..<Int(field.end)])
    }
}

/// An event's fields, and what is noted about them.
struct MatchedEvent {
    let tree: KeyTree
    let fields: FieldList
    let text: FieldText
}

extension PatternIndex {
    /// How the values that an event has at a clause's path fit the clause.
    enum Fit: UInt32 {
        /// None passes.
        case none
        /// Whatever elements of arrays the other clauses choose: a value outside of all arrays passes, or the absence of all.
        case free
        /// Values inside of arrays pass.
        case inArrays
        /// None passes, but the clause asks for absence, and all values are inside of arrays.
        case absentInArrays
    }

    /// Notes the patterns that an event satisfies.
    func match(_ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes, _ work: inout MatchWork) {
        notes.begin(self)
        notes.current = -1
        for branch in always { visit(branch, event, &notes, &work) }
        for position in event.fields.fields.indices {
            let field = event.fields.fields[position]
            guard Int(field.leaf) < paths.count else { continue }
            notes.current = Int32(truncatingIfNeeded: position)
            reach(field.leaf, field.kind, event.text[field], event, &notes, &work)
        }
    }

    // MARK: From values to branches

    private func reach(
        _ leaf: Int32, _ kind: WalkedField.Kind, _ text: UnsafeBufferPointer<UInt8>, _ event: borrowing MatchedEvent,
        _ notes: inout MatchScratch.Notes, _ work: inout MatchWork
    ) {
        let path = paths[Int(leaf)]
        if path.any >= 0 { visit(list: path.any, event, &notes, &work) }
        switch kind {
        case .null: visit(key: Access.key(.null, leaf, 0), event, &notes, &work)
        case .isFalse: visit(key: Access.key(.isFalse, leaf, 0), event, &notes, &work)
        case .isTrue: visit(key: Access.key(.isTrue, leaf, 0), event, &notes, &work)
        case .number: reach(number: text, path, leaf, event, &notes, &work)
        case .string: reach(string: text, path, leaf, event, &notes, &work)
        }
    }

    private func reach(
        number text: UnsafeBufferPointer<UInt8>, _ path: Path, _ leaf: Int32, _ event: borrowing MatchedEvent,
        _ notes: inout MatchScratch.Notes, _ work: inout MatchWork
    ) {
        if path.hasLiterals { visit(key: Access.key(.literal, leaf, TextHash.of(text)), event, &notes, &work) }
        guard path.hasNumbers || !path.ranges.isEmpty, let number = ComparableNumber(text) else { return }
        if path.hasNumbers {
            visit(key: Access.key(.number, leaf, Access.hash(of: number.value)), event, &notes, &work)
        }
        guard work.cost.isHigh else {
            return intervals.forEachBranch(in: path.ranges, containing: number.value) {
                visit($0, event, &notes, &work)
            }
        }
        // Many numbers are in the same ranges: from here on all of the path's are looked for at once.
        guard !path.ranges.isEmpty, notes.leavesWithRanges.insert(leaf).inserted else { return }
        let known = work.values.path(of: leaf, event)
        let outside = work.values.paths[known].outside.numbers(event)
        let inside = work.values.paths[known].inside.numbers(event)
        for numbers in [outside, inside] {
            intervals.forEachBranch(in: path.ranges, containing: numbers) { visit($0, event, &notes, &work) }
        }
    }

    private func reach(
        string text: UnsafeBufferPointer<UInt8>, _ path: Path, _ leaf: Int32, _ event: borrowing MatchedEvent,
        _ notes: inout MatchScratch.Notes, _ work: inout MatchWork
    ) {
        if path.textLengths >> UInt64(text.count & 63) & 1 != 0 {
            visit(key: Access.key(.text, leaf, TextHash.of(text)), event, &notes, &work)
        }
        if !path.prefixes.isEmpty {
            TextHash.forEachBeginning(of: text, lengths: lengths(path.prefixes), foldsCase: false) {
                visit(key: Access.key(.prefix, leaf, $0), event, &notes, &work)
            }
        }
        if !path.suffixes.isEmpty {
            TextHash.forEachEnd(of: text, lengths: lengths(path.suffixes), foldsCase: false) {
                visit(key: Access.key(.suffix, leaf, $0), event, &notes, &work)
            }
        }
        if path.root >= 0 {
            literals.forEachList(in: text, from: path.root) { state, list in
                // Where one literal was found, so were those that end with it.
                guard notes.literals[Int(state)] != notes.round else { return false }
                notes.literals[Int(state)] = notes.round
                visit(list: list, event, &notes, &work)
                return true
            }
        }
        if path.hasFoldedTexts || !path.foldedPrefixes.isEmpty || !path.foldedSuffixes.isEmpty {
            reach(folded: text, path, leaf, event, &notes, &work)
        }
        if path.hasAddresses || !path.masks.isEmpty, let address = IPAddress(text) {
            if path.hasAddresses {
                visit(key: Access.key(.address, leaf, Access.hash(of: address)), event, &notes, &work)
            }
            for bits in lengths(path.masks) where bits < address.bitCount {
                let hash = Access.hash(of: address.prefix(Int(bits)), maskBits: bits)
                visit(key: Access.key(.network, leaf, hash), event, &notes, &work)
            }
        }
    }

    private func reach(
        folded text: UnsafeBufferPointer<UInt8>, _ path: Path, _ leaf: Int32, _ event: borrowing MatchedEvent,
        _ notes: inout MatchScratch.Notes, _ work: inout MatchWork
    ) {
        if path.hasFoldedTexts {
            visit(key: Access.key(.foldedText, leaf, TextHash.of(text, foldsCase: true)), event, &notes, &work)
        }
        TextHash.forEachBeginning(of: text, lengths: lengths(path.foldedPrefixes), foldsCase: true) {
            visit(key: Access.key(.foldedPrefix, leaf, $0), event, &notes, &work)
        }
        TextHash.forEachEnd(of: text, lengths: lengths(path.foldedSuffixes), foldsCase: true) {
            visit(key: Access.key(.foldedSuffix, leaf, $0), event, &notes, &work)
        }
    }

    private func lengths(_ part: Range<Int32>) -> ArraySlice<Int32> {
        lengths[Int(part.lowerBound)..<Int(part.upperBound)]
    }

    // MARK: From branches to matches

    private func visit(
        key: UInt64, _ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes, _ work: inout MatchWork
    ) {
        let list = lists.list(of: key)
        if list >= 0 { visit(list: list, event, &notes, &work) }
    }

    private func visit(
        list: Int32, _ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes, _ work: inout MatchWork
    ) {
        // A value that comes a million times leads to its list once.
        guard notes.lists[Int(list)] != notes.round else { return }
        notes.lists[Int(list)] = notes.round
        lists.forEachNumber(in: list) { visit($0, event, &notes, &work) }
    }

    private func visit(
        _ number: Int32, _ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes,
        _ work: inout MatchWork
    ) {
        guard notes.branches[Int(number)] != notes.round else {
            work.cost.steps += 1
            return
        }
        notes.branches[Int(number)] = notes.round
        let branch = branches[Int(number)]
        guard notes.patterns[Int(branch.pattern)] != notes.round, satisfies(branch, event, &notes, &work) else {
            return
        }
        notes.patterns[Int(branch.pattern)] = notes.round
        notes.found.append(branch.pattern)
    }

    private func satisfies(
        _ branch: Branch, _ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes,
        _ work: inout MatchWork
    ) -> Bool {
        var bound = 0
        var isBoundByAbsence = false
        for index in Int(branch.clauses)..<Int(branch.clauses + branch.clauseCount) {
            switch fit(clauseNumbers[index], event, &notes, &work) {
            case .none: return false
            case .free: continue
            case .inArrays: bound += 1
            case .absentInArrays:
                bound += 1
                isBoundByAbsence = true
            }
        }
        // One value alone has nothing to be consistent with.
        if bound < 2, !isBoundByAbsence { return true }
        return work.join.holds(branch, self, event, &work.values, &work.cost)
    }

    private func fit(
        _ number: Int32, _ event: borrowing MatchedEvent, _ notes: inout MatchScratch.Notes,
        _ work: inout MatchWork
    ) -> Fit {
        let known = notes.clauses[Int(number)]
        if known >> 2 == notes.round { return Fit(rawValue: known & 3) ?? .none }
        let fit = fit(clauses[Int(number)], event, notes.current, &work)
        notes.clauses[Int(number)] = notes.round << 2 | fit.rawValue
        return fit
    }

    /// - Parameter current: the field that led here. It is looked at first: in an array of a million values each leads to its
    ///   own branches, and none of these is to look for it again.
    private func fit(
        _ clause: Clause, _ event: borrowing MatchedEvent, _ current: Int32, _ work: inout MatchWork
    ) -> Fit {
        let last = event.fields.lastField(of: clause.leaf)
        if last < 0 { return clause.isAbsence ? .free : .none }
        let hasFieldOutside = event.fields.hasFieldOutsideArrays(of: clause.leaf)
        var fit = Fit.none
        if current >= 0, event.fields.fields[Int(current)].leaf == clause.leaf,
            passes(clause, event.fields.fields[Int(current)], event)
        {
            fit = event.fields.fields[Int(current)].place == 0 ? .free : .inArrays
            if fit == .free || !hasFieldOutside { return fit }
        }
        var position = last
        var count = 0
        defer { work.cost.steps += count }
        while position >= 0 {
            if count >= work.cost.valuesScanned, work.cost.isHigh { return searchedFit(clause, event, &work) }
            count += 1
            let field = event.fields.fields[Int(position)]
            if fit == .none || field.place == 0, passes(clause, field, event) {
                if field.place == 0 { return .free }
                fit = .inArrays
                if !hasFieldOutside { return fit }
            }
            position = field.previous
        }
        return fit == .none && clause.isAbsence && !hasFieldOutside ? .absentInArrays : fit
    }

    /// The same by look-ups.
    private func searchedFit(_ clause: Clause, _ event: borrowing MatchedEvent, _ work: inout MatchWork) -> Fit {
        let path = work.values.path(of: clause.leaf, event)
        if work.values.paths[path].outside.passes(clause, arena, event, &work.cost) { return .free }
        if work.values.paths[path].inside.passes(clause, arena, event, &work.cost) { return .inArrays }
        return clause.isAbsence && !event.fields.hasFieldOutsideArrays(of: clause.leaf) ? .absentInArrays : .none
    }

    @inline(__always)
    private func passes(_ clause: Clause, _ field: WalkedField, _ event: borrowing MatchedEvent) -> Bool {
        arena.passesAny(from: clause.tests, count: clause.testCount, field.kind, event.text[field])
    }
}
