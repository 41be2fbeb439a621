-- An operator's switch beside the document's own `mode: observe`, and who muted the rule (others may change its row).
ALTER TABLE rule_state ADD COLUMN observed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule_state ADD COLUMN muted_by BLOB;
-- A JSON list of the top-level keys that differ from the version before; null: not known.
ALTER TABLE document_versions ADD COLUMN keys BLOB;
-- The version whose content came back with this one.
ALTER TABLE document_versions ADD COLUMN restored INTEGER;
