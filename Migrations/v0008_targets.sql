-- Targets of sends that said they are gone (410): nothing is sent there until an operator says so. A target without a
-- row is in use.
CREATE TABLE disabled_targets (
    target TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    reason BLOB NOT NULL
) STRICT, WITHOUT ROWID;
