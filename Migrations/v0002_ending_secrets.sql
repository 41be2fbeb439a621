-- When a sealed secret ends, after another one took its place; null: it does not.
ALTER TABLE generated_secrets ADD COLUMN expires INTEGER;
