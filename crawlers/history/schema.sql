CREATE TABLE IF NOT EXISTS visits (
    page_id       BLOB PRIMARY KEY,
    first_at      TEXT NOT NULL,
    visited_at    TEXT NOT NULL,
    changed_at    TEXT,
    interval_s    REAL NOT NULL,
    visits        INTEGER NOT NULL,
    changes       INTEGER NOT NULL,
    content_id    BLOB,
    etag          TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    lines         BLOB NOT NULL,
    links         BLOB
) WITHOUT ROWID;
