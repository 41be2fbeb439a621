import BelfryCore
import BelfryStore

/// Commands that were taken and are answered when what they cut is gone: stops with the run, skips with their step.
struct CommandsUnderWay {
    private(set) var stops: [RunCommand] = []
    private var skips: [Int: RunCommand] = [:]

    private var all: [RunCommand] { stops + skips.values }

    var isEmpty: Bool { stops.isEmpty && skips.isEmpty }

    mutating func add(stop command: RunCommand) { stops.append(command) }

    mutating func add(skip command: RunCommand, of step: Int) { skips[step] = command }

    func skip(of step: Int) -> RunCommand? { skips[step] }

    mutating func removeSkip(of step: Int) -> RunCommand? { skips.removeValue(forKey: step) }

    /// For the table of commands.
    func records(_ result: CommandAnswer.Result, reason: String? = nil) -> [CommandRecord] {
        all.map { $0.record(result, reason: reason) }
    }

    /// Answers all of them.
    mutating func answer(_ result: CommandAnswer.Result, reason: String? = nil) {
        for command in all { command.answer(result, reason: reason) }
        stops = []
        skips = [:]
    }

    func contains(_ command: RunCommand) -> Bool { all.contains { Self.areOne($0, command) } }

    /// A command that comes again while its step is being ended gets the answer that it gets then.
    /// - Returns: false: no command of this id is under way.
    mutating func join(_ command: RunCommand) -> Bool {
        guard let first = all.first(where: { Self.areOne($0, command) }) else { return false }
        guard first.sent.digest == command.sent.digest else {
            command.answer(.rejected, reason: SentCommand.idIsTaken)
            return true
        }
        func joined(_ first: RunCommand) -> RunCommand {
            guard Self.areOne(first, command) else { return first }
            var both = first
            both.answer = { answer in
                first.answer(answer)
                command.answer(answer)
            }
            return both
        }
        stops = stops.map(joined)
        skips = skips.mapValues(joined)
        return true
    }

    private static func areOne(_ one: RunCommand, _ other: RunCommand) -> Bool {
        one.id == other.id && one.by.name == other.by.name
    }
}
