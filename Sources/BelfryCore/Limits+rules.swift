extension Limits {
    // MARK: Rules

    /// Pairs of array elements that one pattern compares where they cannot be looked up: a hostile event with dotted
    /// keys makes them multiply.
    public static let patternJoinsMax = 100_000
    /// Steps that one event's matching spends where no look-up decides: a wildcard against every text of an array, two conditions
    /// that hold in half of the elements each, but in no element together. An event of 10 MiB and thousands of such rules
    /// would take minutes; this many take some tenths of a second.
    public static let matchStepsMax = 10_000_000
    /// The text of a number that can be compared: every test reads it anew. What a double keeps has at most 17 digits, and
    /// is shorter than this even if all zeros of its exponent are written out; only zeros that say nothing make it longer.
    public static let comparableNumberBytesMax = 512
    /// Work arrays for matching that are kept for the next event, of some bytes per rule each: threads that match at
    /// the same time beyond them make their own.
    package static let matchScratchesMax = 16
    /// Rules that have changed since the rule set was compiled whole: each event looks at them besides, and each further
    /// change compiles them again.
    public static let changedRulesMax = 1024
    /// One element of a command's argument list: the kernel refuses more than 128 KiB (MAX_ARG_STRLEN).
    public static let commandArgumentBytesMax = 64 * 1024
    /// Elements of one command.
    public static let commandArgumentsMax = 256
    /// Secrets of one source that are active at the same time.
    public static let secretsPerSourceMax = 16
    /// Header names, identity paths and the like in one list of a document.
    public static let documentListMax = 64
    /// How far a source may let a signed timestamp be from now: beyond it a recorded delivery could be sent again.
    public static let signatureToleranceMax = Duration.seconds(3600)
    /// Documents that the RULES frame and the log name of each kind of change; of the others they tell how many there are.
    public static let changesNamedMax = 100
    /// Names that are looked through for the one an author may have meant.
    public static let nearestNamesMax = 10_000
    /// Differences that the answer to one plan shows together.
    public static let planDiffBytesMax = 4 * 1024 * 1024
    /// Lines that a difference of two documents tells apart one by one; its cost grows with their square.
    public static let diffEditsMax = 1000
    /// A mute that nobody remembers is a rule that does not work.
    public static let muteMax = Duration.seconds(30 * 86400)
    /// An event that came of so many runs, one after the other, starts none: rules that feed each other would never end.
    public static let hopsMax = 8
    /// Failed runs in a row after which a rule is given up: each costs tokens, and a notice that nobody reads the tenth
    /// time.
    public static let ruleFailuresDefault = 10
    public static let ruleFailuresMax = 1000
    /// A larger budget is none.
    public static let ruleTokensPerDayMax = 1_000_000_000_000
    /// The same in money, of whatever unit prices are in, and of a price for a million tokens.
    public static let costPerDayMax = 1_000_000.0
    public static let tokenPriceMax = 100_000.0
    /// A run that waits longer for its place is forgotten by who would read it.
    public static let runWaitMax = Duration.seconds(7 * 86400)
    /// What a breaker says of its last failure.
    public static let brokenReasonBytesMax = 500
    /// Bytes of prompt and output that stand for a token where the provider counts none.
    public static let bytesPerToken = 4
    /// How long the tokens of a day are remembered: a clock that is set back finds what was counted then.
    public static let tokenDaysKept: Int64 = 7
    /// The longest time an author can give a step, a timeout or a window.
    public static let stepTimeoutMax = Duration.seconds(86400)

    // MARK: Steps

    /// Steps of one `parallel` group: each takes a socket or a process of its own.
    public static let parallelStepsMax = 16
    /// Declared `params` of one rule: they stand on an operator's screen.
    public static let paramsPerRuleMax = 32
    /// Further attempts of one step: a step that failed eleven times fails of something else.
    public static let stepRetriesMax = 10
    public static let stepRetryPauseDefault = Duration.seconds(5)
    /// The longest pause an author can ask for, and the longest that a doubled one becomes by itself.
    public static let stepRetryPauseCeiling = Duration.seconds(3600)
    public static let stepRetryPauseMax = Duration.seconds(300)
    /// So long before a question ends people are told, at most; of a shorter one, in its last quarter.
    public static let approvalWarningMax = Duration.seconds(900)
    /// A question that is open for less ends without.
    public static let approvalWarnedMin = Duration.seconds(60)
    /// A request that nobody has decided by then is over: what it is about has changed.
    public static let approvalLifetimeDefault = Duration.seconds(86400)
    public static let waitDefault = Duration.seconds(86400)
    /// The longest that one step or one run may wait: its row, its event and its rule's version are kept for it.
    public static let runTimeMax = Duration.seconds(30 * 86400)
    /// How far before its beginning a step may look for its event: the events of that time are matched again.
    public static let waitLookBackMax = Duration.seconds(3600)
    /// The last stored events that a step looks at, however many came within its time: the run stands still meanwhile.
    public static let waitLookBackEventsMax: Int64 = 10_000
    /// How much earlier than it was stored an event may have been received: a slow body, a busy writer.
    public static let waitLookBackDisorder = Duration.seconds(60)
    /// Runs that the outcome of an event that resumes them names; of more it says how many.
    public static let resumedRunsTold = 16
    /// Runs that one transaction tells of an event that resumes them; the others are told in the next ones. Each takes a
    /// moment of the writer's thread, and thousands may wait for the same.
    public static let resumedRunsWokenMax = 256
    /// The body of one message: a receiver of alerts takes no more.
    public static let sendBodyBytesMax = 1024 * 1024

    // MARK: Explanations

    /// Rules whose clauses one answer about an event shows; of the others it tells how many there are.
    public static let whyRulesDefault = 20
    /// The most that may be asked for: an explanation of a large pattern is tens of kilobytes.
    public static let whyRulesMax = 1000
    /// Formulas looked at and alternatives made while a hook of another program is converted: `not` over `and` over `or`
    /// multiplies them, and a file written by hand stays far below.
    public static let importStepsMax = 4_000
    /// Alternatives that the groups of one imported regular expression come to when they are written out.
    public static let importAlternativesMax = 64

    // MARK: Groups

    /// Values of `group.by`: each is looked up in every event that matches.
    public static let groupValuesMax = 16
    /// The longest window, quiet time or cooldown: an open group is a row that waits.
    public static let groupWindowMax = Duration.seconds(31 * 86400)
    /// Past this a threshold is a mistake of the keyboard.
    public static let groupThresholdMax = 1_000_000
    /// A longer key of a group is kept by its digest: payloads choose it.
    public static let groupKeyBytesMax = 1024
    /// Open groups of one rule: a payload that never repeats a value must not fill the table.
    public static let groupsOpenPerRuleMax = 10_000
    /// Alerts that one group remembers as firing.
    public static let groupSubjectsMax = 1000
    /// The first and the last events of a group that templates see, of each.
    public static let groupSampleHalf = 5
    /// Bytes of an event's data that templates see in the sample of a group: longer data is left out there, because every
    /// step of every run may hold ten of them.
    public static let groupSampleDataMax = 16 * 1024
    /// Numbers of the payload whose least and greatest value a group keeps, how deep they lie, and the length of a key on
    /// the way: the group's row must not grow with its events.
    public static let groupNumbersMax = 32
    public static let groupNumberDepthMax = 4
    public static let groupNumberKeyBytesMax = 128
    /// A longer number is left out.
    public static let groupNumberTextBytesMax = 64
    /// Runs that a resolving event's outcome names; of more it says how many.
    public static let resolvedRunsTold = 3
    /// Timers that fire in one transaction: deliveries wait behind it.
    public static let timersFiredMax = 64
    /// A clock that is set forward is noticed after this time at the latest.
    public static let timerLookInterval = Duration.seconds(30)

    // MARK: Backtests

    /// Backtests that read at the same time; each keeps a core busy.
    public static let backtestsRunningMax = 2
    /// Finished ones whose results are kept, each some hundred kilobytes at most.
    public static let backtestsKeptMax = 32
    public static let backtestRetention = Duration.seconds(600)
    /// Events read in one snapshot, and the payload bytes: while it lasts the write-ahead log can't start anew.
    public static let backtestPageRowsMax = 2048
    public static let backtestPageBytesMax = 2 * 1024 * 1024
    /// What a backtest waits between two pages while deliveries wait for the writer.
    public static let backtestYield = Duration.milliseconds(20)
    /// Simulated runs that have not ended: a draft that starts one for each of a million events would have them all in
    /// memory.
    public static let backtestRunsMax = 100_000
    /// Groups that are told apart; further ones are counted together.
    public static let backtestGroupsMax = 10_000
    /// Sources and types that are told apart.
    public static let backtestKindsMax = 100
    /// Rows of each part of a result.
    public static let backtestRowsMax = 20
    /// Example events of each kind.
    public static let backtestExamplesMax = 10
    /// Clauses whose near misses are counted: each is one more pattern for every event.
    public static let backtestClausesMax = 16
    /// Up to here a result has a row for each hour, then for each day.
    public static let backtestHoursMax = 31 * 24
    /// The longest window.
    public static let backtestWindowMax = Duration.seconds(3660 * 86400)
    public static let backtestRunTakesDefault = Duration.seconds(30)
}
