-- What runs wait for: one row for all that wait for the same, so that an event that comes is written down once, however
-- many they are. Gone with the last of them.
CREATE TABLE awaited (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- The values of `by`, as in match_groups.
    key BLOB NOT NULL,
    -- The event that has come. Who begins to wait from then on waits for another one.
    event BLOB
) STRICT;
INSERT INTO awaited (rule, rule_version, name, key, event)
    SELECT DISTINCT rule, rule_version, name, key, event FROM event_waits;
CREATE UNIQUE INDEX awaited_open ON awaited (rule, rule_version, name, key) WHERE event IS NULL;
CREATE INDEX awaited_come ON awaited (id) WHERE event IS NOT NULL;

-- Which steps of runs wait for it. A run's own event, which is not to resume it, is the run's.
CREATE TABLE waits (
    run BLOB NOT NULL,
    step INTEGER NOT NULL,
    awaited INTEGER NOT NULL,
    -- From when on stored events are still to be looked at; null: not asked for, or done.
    look_back INTEGER,
    -- Sequence of the last event that was stored before the wait.
    stored INTEGER NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
INSERT INTO waits (run, step, awaited, look_back, stored)
    SELECT w.run, w.step, a.id, w.look_back, w.stored FROM event_waits w JOIN awaited a
        ON a.rule = w.rule AND a.rule_version = w.rule_version AND a.name = w.name AND a.key = w.key
            AND a.event IS w.event
    ORDER BY w.run, w.step;
DROP TABLE event_waits;
ALTER TABLE waits RENAME TO event_waits;
CREATE INDEX event_waits_awaited ON event_waits (awaited, run);
CREATE INDEX event_waits_look_back ON event_waits (run) WHERE look_back IS NOT NULL;
