CREATE TABLE ledger (
    page_id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    crawl_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    depth INTEGER NOT NULL,
    parent_url TEXT,
    content_id TEXT,
    duplicate_of TEXT,
    score REAL,
    language TEXT,
    model TEXT,
    evidence_sha256 TEXT,
    found_at TEXT NOT NULL,
    fetched_at TEXT,
    judged_at TEXT,
    indexed_at TEXT,
    reviewed_at TEXT,
    reported_at TEXT,
    checked_at TEXT,
    online INTEGER,
    version_fetched_at TEXT NOT NULL,
    version_at TEXT NOT NULL,
    judged_version_fetched_at TEXT,
    judged_version_at TEXT,
    judged_flagged INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_by_found_at ON ledger (found_at DESC, page_id);
CREATE INDEX ledger_by_crawl ON ledger (crawl_id, outcome);
CREATE INDEX ledger_by_outcome ON ledger (outcome);
CREATE INDEX ledger_by_host ON ledger (host);
CREATE INDEX ledger_by_content ON ledger (content_id) WHERE content_id IS NOT NULL;

CREATE TABLE items (
    number INTEGER PRIMARY KEY,
    page_id TEXT NOT NULL UNIQUE REFERENCES ledger (page_id),
    content_id TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    crawl_id TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    text_truncated INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    depth INTEGER NOT NULL,
    parent_url TEXT,
    fetched_at TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    judged_at TEXT NOT NULL,
    score REAL NOT NULL,
    language TEXT NOT NULL,
    context TEXT,
    model TEXT NOT NULL,
    verdict TEXT NOT NULL,
    evidence TEXT,
    decision TEXT,
    decided_at TEXT
) STRICT;

CREATE INDEX items_by_score ON items (score DESC, page_id);
CREATE INDEX items_by_first_seen ON items (first_seen_at, page_id);
CREATE INDEX items_by_content ON items (content_id);

CREATE TABLE item_values (
    item INTEGER NOT NULL REFERENCES items (number) ON DELETE CASCADE,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (item, field, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX item_values_by_value ON item_values (field, value);

CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL,
    at TEXT NOT NULL,
    label TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX decisions_by_page ON decisions (page_id);
CREATE INDEX decisions_by_at ON decisions (at, id);

CREATE TABLE reports (
    page_id TEXT NOT NULL REFERENCES ledger (page_id),
    edition TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (page_id, edition)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE item_words USING fts5 (title, text, tokenize = "unicode61 remove_diacritics 0");
