-- Steps that wait for an event. An event's own transaction looks here, so there is nothing here but waits that are open.
CREATE TABLE event_waits (
    run BLOB NOT NULL,
    step INTEGER NOT NULL,
    rule TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- The values of `by`, as in match_groups.
    key BLOB NOT NULL,
    -- The run's own event, which never resumes it.
    own BLOB NOT NULL,
    -- The event that has come, until the run takes it.
    event BLOB,
    -- From when on stored events are still to be looked at; null: not asked for, or done.
    look_back INTEGER,
    -- Sequence of the last event that was stored before the wait.
    stored INTEGER NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_waits_open ON event_waits (rule, rule_version, name, key) WHERE event IS NULL;
-- What a run that has left memory must be told of.
CREATE INDEX event_waits_due ON event_waits (run) WHERE event IS NOT NULL OR look_back IS NOT NULL;

-- An event may match a rule more than once: by `when` or `resolve` (part 0), and by what its steps wait for.
CREATE TABLE matches_by_part (
    event INTEGER NOT NULL,
    round INTEGER NOT NULL,
    rule TEXT NOT NULL,
    part INTEGER NOT NULL,
    rule_version INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    run BLOB,
    detail BLOB,
    time INTEGER NOT NULL,
    match_group BLOB,
    PRIMARY KEY (event, round, rule, part)
) STRICT, WITHOUT ROWID;
INSERT INTO matches_by_part (event, round, rule, part, rule_version, outcome, run, detail, time, match_group)
    SELECT event, round, rule, 0, rule_version, outcome, run, detail, time, match_group FROM matches
    ORDER BY event, round, rule;
DROP TABLE matches;
ALTER TABLE matches_by_part RENAME TO matches;
