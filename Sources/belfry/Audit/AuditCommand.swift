import ArgumentParser

/// `belfry audit`
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Who did what: an append-only record in which each entry holds the hash of the one before.",
        discussion: """
            EXAMPLE
              belfry audit verify
            """,
        subcommands: [AuditTail.self, AuditVerify.self],
        defaultSubcommand: AuditTail.self
    )
}
