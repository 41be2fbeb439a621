-- Why a step was skipped: `condition`.
ALTER TABLE steps ADD COLUMN reason TEXT;

-- Tokens that a rule's steps have used within a UTC day (days since 1970), and whether a notice has told that they are
-- used up.
CREATE TABLE rule_tokens (
    rule TEXT NOT NULL,
    day INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    noticed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (rule, day)
) STRICT, WITHOUT ROWID;
