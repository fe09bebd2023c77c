CREATE TABLE IF NOT EXISTS crawls (
    crawl_id      TEXT PRIMARY KEY,
    started_at    TEXT NOT NULL,
    ended_at      TEXT,
    ended_because TEXT
);
CREATE TABLE IF NOT EXISTS urls (
    id        INTEGER PRIMARY KEY,
    page_id   BLOB NOT NULL UNIQUE,
    url       TEXT NOT NULL,
    host      TEXT NOT NULL,
    depth     INTEGER NOT NULL,
    parent    INTEGER,
    priority  REAL NOT NULL,
    kind      INTEGER NOT NULL,
    state     INTEGER NOT NULL DEFAULT 0,
    budgeted  INTEGER NOT NULL DEFAULT 0,
    outcome   TEXT,
    features  BLOB,
    cited     REAL NOT NULL DEFAULT 0,
    citing    INTEGER NOT NULL DEFAULT 0,
    distance  INTEGER NOT NULL DEFAULT 0,
    score     REAL
);
CREATE INDEX IF NOT EXISTS urls_queued ON urls (host, priority DESC, id) WHERE state = 0;
CREATE TABLE IF NOT EXISTS contents (
    content_id BLOB PRIMARY KEY,
    page_id    BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shapes (
    host      TEXT NOT NULL,
    shape     TEXT NOT NULL,
    fruitless INTEGER NOT NULL,
    PRIMARY KEY (host, shape)
) WITHOUT ROWID;
