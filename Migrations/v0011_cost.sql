-- Millionths of the unit that agents' prices are in.
ALTER TABLE rule_tokens ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN cost INTEGER;
