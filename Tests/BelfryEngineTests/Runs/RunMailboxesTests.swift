import BelfryCore
import Testing

@testable import BelfryEngine

struct RunMailboxesTests {
    private static func run(_ number: Int) -> RunID { RunID(at: Timestamp(seconds: Int64(number))) }

    private static let command = RunInput.stop(.operator)

    @Test("of runs that are due so many come into memory as there is room for, in their order; a word brings its run in at once")
    func room() {
        let mailboxes = RunMailboxes()
        let runs = (0..<10).map(Self.run)
        for run in runs { mailboxes.post(.due, to: run) }
        #expect(mailboxes.count == 0)
        let first = mailboxes.takeToLoad(max: 3)
        #expect(first.map(\.run) == Array(runs[..<3]) && mailboxes.count == 3)
        #expect(mailboxes.takeToLoad(max: 3).isEmpty)
        mailboxes.post(Self.command, to: runs[8])
        #expect(mailboxes.takeToLoad(max: 3).map(\.run) == [runs[8]])
        for (run, mailbox) in first { _ = mailboxes.remove(run, mailbox) }
        #expect(mailboxes.takeToLoad(max: 4).map(\.run) == Array(runs[3..<6]))
        #expect(mailboxes.close().map(\.run) == [runs[6], runs[7], runs[9]])
        #expect(!mailboxes.post(Self.command, to: Self.run(11)))
    }
}
