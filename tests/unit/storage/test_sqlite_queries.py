from __future__ import annotations

import msgspec

from storage.port import ItemQuery, LedgerQuery
from storage.sqlite import SqliteStore, clustering, queries
from tests.contract.clustering import signed
from tests.contract.samples import judged, later, unflagged


def test_likeness_is_searched_along_the_index_of_bands(ready: SqliteStore) -> None:
    with ready._database.reading() as connection:
        sql = clustering._CANDIDATES.format("?, ?")
        plan = " ".join(row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1, 2, 3)))
    assert "SEARCH item_bands USING PRIMARY KEY (band=?)" in plan
    assert "SEARCH items USING INTEGER PRIMARY KEY" in plan
    assert "SCAN" not in plan.replace("SCAN item_bands", "")


def test_list_of_clusters_reads_no_texts(ready: SqliteStore) -> None:
    query = ItemQuery(one_per_cluster=True, decision=("open",), host=("a.example",), language=("en",), min_score=0.5)
    for sort in ("score", "newest", "host"):
        wanted = msgspec.structs.replace(query, sort=sort)
        where = queries.items_where(wanted)
        select, _ = queries.search(wanted, where)
        with ready._database.reading() as connection:
            found = connection.execute(f"EXPLAIN QUERY PLAN {select}", [*where.parameters, 25, 0])
            plan = [row["detail"] for row in found]
        assert "SCAN items USING COVERING INDEX items_by_cluster" in plan, plan


def test_deleted_item_leaves_no_band(ready: SqliteStore) -> None:
    ready.upsert([judged(minhash=signed(1))])
    ready.upsert([judged(minhash=signed(2), text="New.", fetched_at=later(), at=later())])
    with ready._database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM item_bands").fetchone()[0] == 64
    ready.upsert([unflagged(fetched_at=later(hours=1), at=later(hours=1))])
    with ready._database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM item_bands").fetchone()[0] == 0


def test_second_queue_is_read_along_its_index(ready: SqliteStore) -> None:
    where = queries.ledger_where(LedgerQuery(worth_a_look=True, reviewed=False))
    order = queries.LEDGER_ORDER["score"]
    with ready._database.reading() as connection:
        for sql in (
            f"SELECT count(*) FROM ledger WHERE {where}",
            f"SELECT * FROM ledger WHERE {where} ORDER BY {order}",
        ):
            plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
            assert len(plan) == 1, plan
            assert "ledger_worth_a_look" in plan[0]
