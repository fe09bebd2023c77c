ALTER TABLE items ADD COLUMN cluster_id TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN cluster_since TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN minhash TEXT NOT NULL DEFAULT '';

-- Every column that a list filters or sorts by, so that lists of clusters need not read the texts.
CREATE INDEX items_by_cluster ON items (
    cluster_id, cluster_since, score DESC, page_id, first_seen_at, decision, language, context, host, crawl_id, content_id
);

UPDATE items SET
    cluster_id = content_id,
    cluster_since = (SELECT min(first_seen_at) FROM items AS same WHERE same.content_id = items.content_id);

CREATE TABLE item_bands (
    band INTEGER NOT NULL,
    item INTEGER NOT NULL,
    PRIMARY KEY (band, item)
) STRICT, WITHOUT ROWID;
