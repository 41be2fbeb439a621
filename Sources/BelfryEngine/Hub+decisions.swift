public import BelfryCore
import BelfrySources
public import BelfryStore

/// What a link in a message asks its reader.
public struct LinkedQuestion: Sendable {
    public var run: RunRecord
    public var step: String
    /// The last question of the step; nil: it has not asked yet.
    public var approval: ApprovalRecord?
}

extension Hub {
    /// What a link (`{{links.STEP}}` of a message) is about.
    ///
    /// - Throws: `not_found` for what is no link of this hub, or of a run that is gone.
    public func question(link code: String) async throws(BelfryError) -> LinkedQuestion {
        let links = DecisionLinks(key: store.key(for: DecisionLinks.purpose))
        guard let (id, step) = links.question(of: code) else {
            throw BelfryError(.notFound, "this is no link of this hub; perhaps it was cut when it was copied")
        }
        let run = try await store.run(id)
        let name = try await steps(of: run).dropFirst(step).first?.name
        let approval = try await store.approvals(of: id).last { $0.step == step }
        return LinkedQuestion(run: run, step: name ?? "", approval: approval)
    }

    /// Decides a question by a link: whoever has it may.
    ///
    /// - Parameter approval: the question that the reader has seen.
    /// - Throws: what ``question(link:)`` and ``perform(_:on:id:by:)`` throw.
    public func decide(
        link code: String, _ approval: ApprovalID, _ verdict: Verdict
    ) async throws(BelfryError) -> CommandAnswer {
        let question = try await question(link: code)
        guard question.approval?.id == approval else {
            throw BelfryError(.conflict, "the step asks something else now; read it before you decide")
        }
        return try await decide(approval, verdict, by: Principal(token: nil, name: "link", role: .operator))
    }
}
