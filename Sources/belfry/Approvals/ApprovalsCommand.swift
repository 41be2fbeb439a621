import ArgumentParser

/// `belfry approvals`
struct ApprovalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals",
        abstract: "Questions that runs ask before they go on, and your answers.",
        discussion: """
            The first answer counts, and holds for the question as it was asked: if what it stands before is changed \
            meanwhile, the run asks again.

            EXAMPLE
              belfry approvals list
              belfry approvals approve apr_01h455vb4pex5vsknk084sn02q
            """,
        subcommands: [ApprovalsList.self, ApprovalsShow.self, ApprovalsApprove.self, ApprovalsDeny.self],
        defaultSubcommand: ApprovalsList.self
    )
}
