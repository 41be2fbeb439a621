-- Times are milliseconds since 1970, ids the 16 bytes of their UUID, digests raw bytes.
-- Text that a sender or a person wrote freely is a BLOB of UTF-8: it may hold NUL, at which bound text would end.
-- Names (checked: a-z 0-9 - _ .) and closed sets of words are TEXT.

-- Single values: ruleset_version, all_paused, audit_sequence, audit_hash, key_check.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- documents

-- What holds now.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    updated_by BLOB NOT NULL,
    text BLOB NOT NULL,
    canonical BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

-- Every version there ever was, removals too, so that a number is never used twice.
CREATE TABLE document_versions (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    owner TEXT NOT NULL,
    change TEXT NOT NULL,
    created INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    text BLOB NOT NULL,
    canonical BLOB NOT NULL,
    PRIMARY KEY (kind, name, version)
) STRICT;

-- What operators and the hub itself know of a rule, beside its document. No row: nothing special.
CREATE TABLE rule_state (
    rule TEXT NOT NULL PRIMARY KEY,
    enabled INTEGER NOT NULL DEFAULT 1,
    removed INTEGER NOT NULL DEFAULT 0,
    muted_until INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    broken_since INTEGER,
    broken_reason BLOB,
    changed INTEGER NOT NULL,
    changed_by BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE source_state (
    source TEXT NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL,
    changed_by BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Secrets the hub made (`secret: generate`), sealed with the key file beside the database.
CREATE TABLE generated_secrets (
    source TEXT NOT NULL,
    number INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    created INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    PRIMARY KEY (source, number)
) STRICT, WITHOUT ROWID;

-- ------------------------------------------------------------------- events

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    source TEXT NOT NULL,
    status TEXT NOT NULL,
    -- How often it was matched, less one; and the runs that came of it.
    round INTEGER NOT NULL DEFAULT 0,
    runs INTEGER NOT NULL DEFAULT 0,
    ruleset_version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    received INTEGER NOT NULL,
    hops INTEGER NOT NULL DEFAULT 0,
    same_body_as BLOB,
    verified_by TEXT,
    traceparent BLOB,
    remote BLOB NOT NULL,
    origin BLOB,
    key BLOB,
    type BLOB NOT NULL,
    subject BLOB,
    ext BLOB NOT NULL,
    headers BLOB NOT NULL,
    -- Last, because it is long: the columns before it are read without its overflow pages.
    data BLOB NOT NULL
) STRICT;
CREATE INDEX events_by_source ON events (source);
CREATE INDEX events_by_type ON events (type);
CREATE INDEX events_by_status ON events (status);

-- By which repeated deliveries are recognised. Outlives the event if need be.
CREATE TABLE identities (
    source TEXT NOT NULL,
    key BLOB NOT NULL,
    event BLOB NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    sightings INTEGER NOT NULL DEFAULT 1,
    expires INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_expiry ON identities (expires);

-- Bodies seen, for `same_body_as`: the first event with each.
CREATE TABLE body_digests (
    source TEXT NOT NULL,
    digest BLOB NOT NULL,
    event BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (source, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX body_digests_by_expiry ON body_digests (expires);

-- Each match ends in exactly one outcome.
CREATE TABLE matches (
    event INTEGER NOT NULL,
    round INTEGER NOT NULL,
    rule TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    run BLOB,
    detail BLOB,
    time INTEGER NOT NULL,
    PRIMARY KEY (event, round, rule)
) STRICT, WITHOUT ROWID;

-- Refused deliveries, added up.
CREATE TABLE refusals (
    source TEXT NOT NULL,
    code TEXT NOT NULL,
    minute INTEGER NOT NULL,
    count INTEGER NOT NULL,
    remote BLOB NOT NULL,
    PRIMARY KEY (source, code, minute)
) STRICT, WITHOUT ROWID;
CREATE INDEX refusals_by_minute ON refusals (minute);

-- --------------------------------------------------------------------- runs

CREATE TABLE runs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    event BLOB NOT NULL,
    rule TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    -- The n-th run of its rule: the (now - hour) check looks back by number instead of counting.
    number INTEGER NOT NULL,
    -- 0 for the run that the match started, then its retries.
    retry INTEGER NOT NULL DEFAULT 0,
    retry_of BLOB,
    state TEXT NOT NULL,
    reason TEXT,
    error_code TEXT,
    error_message BLOB,
    received INTEGER NOT NULL,
    created INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    attempt INTEGER NOT NULL DEFAULT 1,
    traceparent BLOB,
    group_key BLOB,
    params BLOB,
    UNIQUE (event, rule, retry)
) STRICT;
CREATE UNIQUE INDEX runs_by_rule ON runs (rule, number);
-- Queued ones for the scheduler, unfinished ones for limits and recovery.
CREATE INDEX runs_unfinished ON runs (state, rule) WHERE ended IS NULL;
CREATE INDEX runs_by_state ON runs (state) WHERE ended IS NOT NULL;

CREATE TABLE steps (
    run INTEGER NOT NULL,
    step INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    process_group INTEGER,
    input_tokens INTEGER,
    output_tokens INTEGER,
    error_code TEXT,
    error_message BLOB,
    -- JSON: template paths without a value, and what later step kinds keep.
    missing BLOB,
    data BLOB,
    output BLOB,
    PRIMARY KEY (run, step)
) STRICT;

-- Open groups of matches.
CREATE TABLE match_groups (
    rule TEXT NOT NULL,
    key BLOB NOT NULL,
    opened INTEGER NOT NULL,
    closes INTEGER,
    cooling_until INTEGER,
    count INTEGER NOT NULL,
    run BLOB,
    state BLOB NOT NULL,
    PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;

-- What is to happen at a time.
CREATE TABLE timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject BLOB NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX timers_by_due ON timers (due);
CREATE INDEX timers_by_subject ON timers (kind, subject);

-- Operators' commands: repeated, one gets its first answer again.
CREATE TABLE commands (
    principal BLOB NOT NULL,
    id BLOB NOT NULL,
    run BLOB,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    created INTEGER NOT NULL,
    decided INTEGER,
    answer BLOB,
    PRIMARY KEY (principal, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_by_time ON commands (created);

-- ------------------------------------------------------------------ the log

CREATE TABLE frames (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    -- The home topic; null for `run/{id}`, which is the run's.
    topic TEXT,
    type TEXT NOT NULL,
    run BLOB,
    rule TEXT,
    source TEXT,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX frames_by_run ON frames (run) WHERE run IS NOT NULL;
CREATE INDEX frames_by_topic ON frames (topic) WHERE topic IS NOT NULL;
CREATE INDEX frames_by_rule ON frames (rule) WHERE topic = 'runs';

-- Up to which position frames of a topic may be gone; '*' is every topic.
CREATE TABLE floors (
    topic TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- --------------------------------------------------------- people and audit

CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    name BLOB NOT NULL,
    role TEXT NOT NULL,
    scopes BLOB NOT NULL,
    created INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    last_used INTEGER
) STRICT, WITHOUT ROWID;

-- hash = SHA-256(hash of the entry before ‖ canonical JSON of {action, actor, detail, seq, subject, time}).
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    actor BLOB NOT NULL,
    action TEXT NOT NULL,
    subject BLOB NOT NULL,
    detail BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
