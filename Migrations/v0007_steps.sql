-- When a step that waits is looked at again.
ALTER TABLE steps ADD COLUMN due INTEGER;
CREATE INDEX steps_due ON steps (due) WHERE due IS NOT NULL;

-- Questions to a person. A step that asks again has another row.
CREATE TABLE approvals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    run BLOB NOT NULL,
    rule TEXT NOT NULL,
    step INTEGER NOT NULL,
    name TEXT NOT NULL,
    message BLOB NOT NULL,
    -- JSON Schema of the value that a decision carries.
    schema BLOB,
    -- JSON: the names of the steps that it stands before, and a digest of what they are to do.
    guards BLOB NOT NULL,
    digest BLOB NOT NULL,
    requested INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    decision TEXT,
    decided INTEGER,
    decided_by BLOB,
    value BLOB,
    reason BLOB
) STRICT;
CREATE INDEX approvals_open ON approvals (expires) WHERE decision IS NULL;
CREATE INDEX approvals_of_run ON approvals (run);
