-- Groups of matches, open and over. `match_groups` was never filled: it is made anew as a table that is kept.
DROP TABLE match_groups;
CREATE TABLE match_groups (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    -- Of the last match.
    rule_version INTEGER NOT NULL,
    -- JSON of the values of `by`; a long one by its digest. `shown` is for people, cut.
    key BLOB NOT NULL,
    shown BLOB NOT NULL,
    count INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    last INTEGER NOT NULL,
    last_event BLOB NOT NULL,
    -- When the hub looks at it again; null while only an event or the end of its run changes anything.
    due INTEGER,
    run BLOB,
    run_created INTEGER,
    run_ended INTEGER NOT NULL DEFAULT 0,
    -- What became of a group that has started nothing; its matches say `grouped`.
    outcome TEXT,
    detail BLOB,
    -- Null while it is open.
    closed INTEGER,
    -- JSON: the policy.
    policy BLOB NOT NULL,
    -- JSON of bounded length: least and greatest numbers, the first and last events.
    state BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX match_groups_open ON match_groups (rule, key) WHERE closed IS NULL;

-- How many groups of a rule are open: counting them would cost more the more there are.
CREATE TABLE open_groups (
    rule TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Alerts that fire within an open group; the group is resolved with the last of them.
CREATE TABLE group_subjects (
    match_group BLOB NOT NULL,
    subject BLOB NOT NULL,
    PRIMARY KEY (match_group, subject)
) STRICT, WITHOUT ROWID;

ALTER TABLE matches ADD COLUMN match_group BLOB;

ALTER TABLE runs ADD COLUMN match_group BLOB;
-- Waits for another run of its group.
ALTER TABLE runs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
-- The hub has told it to stop, and why; it may still finish a command.
ALTER TABLE runs ADD COLUMN stop_reason TEXT;
-- What a resolving event ends, and what a run of a group waits for.
CREATE INDEX runs_unfinished_of_key ON runs (rule, group_key) WHERE ended IS NULL AND group_key IS NOT NULL;
DROP INDEX runs_unfinished;
CREATE INDEX runs_unfinished ON runs (state, rule, held) WHERE ended IS NULL;
