/// Every bound of the hub that is not configured elsewhere, each with the failure or attack it bounds.
public enum Limits {
    // MARK: Text and names

    /// Nesting of JSON and YAML: a body of 10,000 brackets must not exhaust a stack.
    public static let jsonDepthMax = 128
    /// Names stand in URLs, topics, file names and metric labels.
    public static let nameBytesMax = 64
    /// Scopes of one token: each request with it looks through them.
    public static let scopesPerTokenMax = 100
    /// A token's end further away than this is a slip of the keyboard; one without an end is asked for by saying none.
    public static let tokenLifetimeMax = Duration.seconds(3660 * 86400)

    // MARK: Deliveries

    /// A sender must not fill the memory; GitHub's own limit is 25 MB, its usual deliveries are below 100 KB.
    public static let deliveryBodyBytesMax = 10 * 1024 * 1024
    /// The most a source document may raise its own limit to.
    public static let deliveryBodyBytesCeiling = 32 * 1024 * 1024
    /// Items of one delivery: a batch is one transaction and one answer.
    public static let eventsPerDeliveryMax = 1000
    /// A drip-fed body holds a connection no longer than this.
    public static let requestReadTimeout = Duration.seconds(15)
    /// Deliveries waiting for the writer; past it the answer is 503 and the sender tries again.
    public static let deliveriesWaitingMax = 4096
    /// The body bytes they may hold together.
    public static let deliveriesWaitingBytesMax = 256 * 1024 * 1024
    /// A sender's key, type or subject: they are indexed and shown.
    public static let attributeBytesMax = 1024
    /// Signatures that one delivery may carry: each costs a comparison or, with Ed25519, a verification per key.
    public static let signaturesPerDeliveryMax = 16
    /// Secrets of one source that the hub keeps: each is tried on a delivery that none before it fits.
    public static let sealedSecretsPerSourceMax = 8
    /// A secret that a sender gave.
    public static let secretBytesMax = 1024
    /// A shorter one is guessed.
    public static let secretBytesMin = 8
    /// How long a secret may work beside the one that took its place: longer is no rotation.
    public static let secretKeepMax = Duration.seconds(90 * 86400)
    public static let secretKeepDefault = Duration.seconds(86400)
    /// Identities are remembered this long after their last sighting.
    public static let identityRetention = Duration.seconds(7 * 86400)
    /// An operator's command that comes again under its id gets the first answer for this long. Who says it a week later
    /// means it anew.
    public static let commandRetention = Duration.seconds(7 * 86400)
    /// Refusals are audited as one row per source, reason and minute, so that a flood of them stays small.
    public static let refusalWindow = Duration.seconds(60)

    // MARK: Documents

    public static let documentBytesMax = 256 * 1024
    public static let documentDepthMax = 64
    public static let stepsPerRuleMax = 50
    /// Leaf values of one pattern: an `$or` of `$or`s multiplies them.
    public static let patternLeavesMax = 10_000
    /// `*` in one text of a pattern: matching is linear in text and pattern, and a thousand of them is nobody's intent.
    public static let wildcardsPerStringMax = 32
    /// Wildcards of one pattern that read a value's text from end to end, counted like ``patternLeavesMax``: so often a
    /// text of 10 MiB may be read for one rule. Other operators read no more than they are long.
    public static let patternSearchesMax = 256
    /// Branches touched while a pattern is read: a field written in thousands of ways (dots or nesting) under an `$or` of
    /// thousands would take minutes.
    public static let patternStepsMax = 1_000_000

    // MARK: Notices

    /// A notice is read on a phone, and names of others stand in it.
    public static let noticeTitleBytesMax = 200
    public static let noticeTextBytesMax = 1000
    /// So many refused deliveries of a source within ``refusalNoticeWindow`` are worth a person's look.
    public static let refusalNoticeThreshold: Int64 = 10
    public static let refusalNoticeWindow = Duration.seconds(300)
    /// A source that goes on refusing is told of once in this time: anybody can post rubbish to it.
    public static let refusalNoticeInterval = Duration.seconds(900)
    /// Of one reload; a folder of broken rules must not flood the alerts.
    public static let brokenNoticesMax = 20
    /// Room on the disk below this, or below this part of it, is low. Rows and log need a hundredth of it in an hour of
    /// full load.
    public static let diskLowBytes: Int64 = 512 * 1024 * 1024
    public static let diskLowPart: Int64 = 50
    /// With less the next commits fail.
    public static let diskFullBytes: Int64 = 16 * 1024 * 1024
    /// How often the room is looked at, also while nothing is written.
    public static let diskCheckInterval = Duration.seconds(15)

    // MARK: Templates

    /// A payload's value inside a prompt's own sentence.
    public static let promptValueBytesMax = 512
    /// The fenced event in a prompt.
    public static let promptEventBytesMax = 16 * 1024
    public static let promptBytesMax = 256 * 1024
    /// The texts of one rendered body: a document with a thousand `{{event}}` must not become gigabytes.
    public static let renderedBodyBytesMax = 64 * 1024 * 1024

    // MARK: Runs

    /// Runs at work at the same time, of all rules.
    public static let runsRunningMax = 256
    public static let ruleConcurrencyDefault = 4
    public static let ruleRunsPerHourDefault = 60
    /// Commands that wait in one run's mailbox.
    public static let commandsWaitingMax = 64
    /// Why somebody has denied: it is in frames and in the audit, so it is a remark and no document.
    public static let decisionReasonBytesMax = 2048
    /// The value that comes with a yes: every viewer of the run gets it in a frame.
    public static let decisionValueBytesMax = 64 * 1024
    /// The parameters that an operator sets, and the fields of an agent: a run is read with them at each transition.
    public static let adjustedParamsBytesMax = 64 * 1024
    /// A client's own name for a command, in the header `Idempotency-Key`.
    public static let idempotencyKeyBytesMax = 255
    /// Runs that one `stop --all` ends; with more it says so, and is asked again: an answer must come in its time.
    public static let runsStoppedMax = 5000
    /// Of these so many side by side: as many as can be at work, so that none waits for another's process to go.
    public static let stopsSideBySideMax = runsRunningMax
    /// Stops that could not be confirmed are named up to here, and the others counted.
    public static let unconfirmedStopsShownMax = 20
    /// Runs taken from the queue in one transaction.
    public static let runsClaimedMax = 32
    /// Between two tries of a run to write to a store that is full or failing.
    public static let storeRetryInterval = Duration.seconds(1)
    /// How long runs may go on after SIGTERM before they are cut, to begin their step anew at the next start.
    public static let runDrainTimeout = Duration.seconds(10)
    /// Text of one step: a provider that never stops must not fill the disk.
    public static let stepOutputBytesMax = 1024 * 1024
    /// Tokens of one step that wait for the log; an agent faster than the disk waits.
    public static let tokenBufferBytesMax = 256 * 1024
    public static let stepTimeoutDefault = Duration.seconds(600)
    /// Of a question to a person, this much is shown: it is read on a phone.
    public static let questionBytesMax = 4096
    /// How long a stop waits for a socket or process group before it says that it could not be confirmed.
    public static let stopConfirmTimeout = Duration.seconds(10)

    // MARK: The store

    /// Operations in one group commit; more makes each wait longer than it saves.
    public static let commitOperationsMax = 64
    /// Token appends in one group commit: they are small, and come in bursts while a commit waits for the disk.
    public static let commitDeltasMax = 1024
    /// Expired rows of a kind (identities, body digests, commands, …) that one commit sweeps at most, so that no delivery
    /// waits for a clean-up.
    public static let sweepRowsMax = 256
    /// How often a sweep begins.
    public static let sweepInterval = Duration.seconds(60)
    /// A run/* page looks at so many positions at most before it answers with how far it came.
    public static let frameScanPositionsMax = 65_536
    /// Spans of the log (4096 positions each) in which a page looks for its topics, together, before it answers with how
    /// far it came: some milliseconds.
    public static let frameSpansLookedAtMax = 4096
    /// Frames that one commit removes at most: a clean-up of millions must not stand before deliveries.
    public static let framesRemovedPerCommitMax = 2000
    /// Runs, rules, sources and custom topics, of each kind, whose removed frames are remembered apart; of older ones the
    /// hub knows together up to where they may be gone.
    public static let floorsPerKindMax = 10_000
    /// A token's last use is stored this coarsely, so that reading requests write nothing.
    public static let tokenUseInterval = Duration.seconds(3600)
    /// The write-ahead log is checkpointed between two commits when it passes this, while tokens come a quarter of it: the
    /// commit behind a checkpoint waits 20 to 30 ms, or 5 to 8.
    public static let walBytesMax = 32 * 1024 * 1024
    /// Commits that hold tokens begin at least this far apart, but for those that something urgent takes along.
    public static let deltaCommitInterval = Duration.milliseconds(10)
    /// Behind a commit, deliveries and frames from outside wait at most this long for those who came with the last one:
    /// who sends side by side then shares an fsync. Who sends alone waits for nobody.
    public static let companyInterval = Duration.milliseconds(2)
    /// Rows of one page of a list.
    public static let pageRowsMax = 1000
    public static let pageRowsDefault = 50
    /// Frames read from the log at a time while a subscriber catches up.
    public static let replayFramesMax = 512

    // MARK: Connections

    public static let connectionsMax = 20_000
    public static let topicsPerSubscriptionMax = 100
    /// Unsent bytes of one subscriber before it is no longer pushed to.
    public static let subscriberUnsentBytesMax = 64 * 1024
    /// A subscriber that takes nothing for this long is closed.
    public static let subscriberStallTimeout = Duration.seconds(30)
    public static let keepAliveInterval = Duration.seconds(15)
    /// An idle keep-alive connection, and the headers of a request.
    public static let connectionIdleTimeout = Duration.seconds(60)
    /// Bodies of API requests, deliveries aside.
    public static let apiBodyBytesMax = 1024 * 1024
    /// Draining at the end: what has not finished then is cut.
    public static let drainTimeout = Duration.seconds(20)
}
