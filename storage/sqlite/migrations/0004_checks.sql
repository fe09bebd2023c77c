ALTER TABLE ledger ADD COLUMN check_state TEXT;

ALTER TABLE items ADD COLUMN changed_at TEXT;
ALTER TABLE items ADD COLUMN previous_content_id TEXT;
ALTER TABLE items ADD COLUMN changed_share REAL;

CREATE TABLE checks (
    page_id TEXT NOT NULL REFERENCES ledger (page_id),
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    content_id TEXT,
    PRIMARY KEY (page_id, at)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_by_check_state ON ledger (check_state) WHERE check_state IS NOT NULL;
