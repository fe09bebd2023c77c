ALTER TABLE items ADD COLUMN text_removed_at TEXT;

CREATE INDEX items_with_text ON items (fetched_at, page_id) WHERE text_removed_at IS NULL;
