-- JSON: what an agent with tools has said and heard, of a step that waits for a decision about a call.
ALTER TABLE steps ADD COLUMN conversation BLOB;
-- JSON {id, tool, arguments}: the call that is asked about; NULL: the question of an approve step.
ALTER TABLE approvals ADD COLUMN call BLOB;
