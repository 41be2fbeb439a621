-- By span of 4096 positions first: what is appended now lies side by side in the index, however many runs and topics it
-- is of. By run or topic alone, each had a page of its own to be written with every commit.
DROP INDEX frames_by_run;
DROP INDEX frames_by_topic;
CREATE INDEX frames_by_run ON frames (position >> 12, run) WHERE run IS NOT NULL;
CREATE INDEX frames_by_topic ON frames (position >> 12, topic) WHERE topic IS NOT NULL;
-- The end of the log when the run was made: its frames stand behind it.
ALTER TABLE runs ADD COLUMN log_start INTEGER NOT NULL DEFAULT 0;
