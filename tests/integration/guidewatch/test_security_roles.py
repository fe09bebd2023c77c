"""The roles of `storage/elastic/security`, held by a real server: each suffices for its process, none has too many."""

import copy
import json
import traceback
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest
import yaml
from elasticsearch import ApiError, Elasticsearch

from dashboards.feeds import build_edition, publish_edition
from storage import ItemQuery, LedgerQuery, Retention
from storage.elastic import ElasticStore
from storage.elastic.client import Connection
from storage.port import Check, StoreRejectedError
from tests.contract.samples import NOON, judged, label, later, pid, unflagged
from tests.servers.certificates import Authority
from tests.servers.secured import secured_elasticsearch

FOLDER = Path(__file__).parents[3] / "storage" / "elastic" / "security"
ROLES = yaml.safe_load((FOLDER / "roles.yml").read_text("utf-8"))
TEXT = "A page about secrets of nothing."
NUMBERS = count()
MONTHS = count(1)


def reduced():
    """Yield (name, role, the right that is missing, definition) for each right of each role."""
    for role, made in ROLES.items():
        for number, privilege in enumerate(made.get("cluster", [])):
            less = copy.deepcopy(made)
            del less["cluster"][number]
            yield f"{role}_without_{number}", role, privilege, less
        for number, group in enumerate(made["indices"]):
            for place, privilege in enumerate(group["privileges"]):
                less = copy.deepcopy(made)
                del less["indices"][number]["privileges"][place]
                less["indices"] = [one for one in less["indices"] if one["privileges"]]
                yield f"{role}_without_{number}_{place}", role, f"{privilege} on {group['names'][0]}", less


REDUCED = list(reduced())


@contextmanager
def opened(options, prefix="guidewatch"):
    store = ElasticStore(options, prefix=prefix, clock=lambda: NOON)
    try:
        yield store
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # walks that were left end before the store is closed
        raise
    finally:
        store.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with secured_elasticsearch(authority, ROLES | {name: made for name, _, _, made in REDUCED}) as made:
        with opened(made.as_user("guidewatch_setup")) as store:
            store.setup()
        with opened(made.as_user("guidewatch_writer")) as store:
            store.upsert([judged("secrets", text=TEXT)])
            store.record_decisions([label("secrets")])
            store.refresh()
        yield made


@pytest.fixture
def client_of(server):
    """Return a function that makes a client of a user, closed at the end of the test."""
    with ExitStack() as clients:
        yield lambda user: clients.enter_context(Elasticsearch(**server.as_user(user), request_timeout=30))


def setup(options, folder):
    with opened(options, f"guidewatch-{next(NUMBERS)}") as store:
        store.setup()
        assert store.health()
        migration = store.migration()
        assert (migration.plan(), migration.delete_old()) == ([], [])
        store.upsert([judged()])
        store.refresh()
        assert store.remove_old(Retention(text_before=later(days=1), ledger_before=later(days=1)), later(days=9)).rows


def write(options, folder):
    one, other, first_of_a_month = (f"page-{next(NUMBERS)}" for _ in range(3))
    with opened(options) as store:
        store.upsert([judged(one)])
        store.record_decisions([label(one, id=f"label-{one}")])
        store.record_checks([Check(page_id=pid(one), at=later(days=1), state="online")])
        store.upsert([judged(other)])
        store.upsert([unflagged(other, fetched_at=later(hours=2), at=later(hours=2))])
        assert store.item(pid(other)) is None
        store.refresh()
        assert store.checks(pid(one))
        assert store.health()
        month = later(days=-31 * next(MONTHS))
        store.upsert([judged(first_of_a_month, fetched_at=month, at=month)])


def review(options, folder):
    with opened(options) as store:
        assert store.item(pid("secrets")).text == TEXT
        assert store.search(ItemQuery(text="secrets")).total == 1
        assert store.ledger(LedgerQuery(page_id=(pid("secrets"),))).total == 1
        assert store.checks(pid("nothing")) == []
        assert list(store.items(ItemQuery(host=("a.example",))))
        assert [one.analyst for one in store.decisions() if one.page_id == pid("secrets")] == ["ana"]
        assert store.counts("decision", ItemQuery())
        assert store.health()
    data_views(options, "items", "ledger", "decisions", "histories", "checks")


def build_feed(options, folder):
    with opened(options) as store:
        edition = build_edition(store, restricted=True, edition_id=f"edition-{next(NUMBERS)}")
        assert edition.confirmed.pages >= 1
        publish_edition(store, edition, folder)
        assert edition.id in store.item(pid("secrets")).reported_in


def read_summaries(options, folder):
    with Elasticsearch(**options) as client:
        by = {"by": {"terms": {"field": "guidewatch.subject"}}}
        assert client.search(index="guidewatch-items", aggregations=by)["aggregations"]["by"]["buckets"]
    data_views(options, "items")
    read_ledger(options, folder)


def read_ledger(options, folder):
    with opened(options) as store:
        assert store.ledger_counts()["flagged"] >= 1
        assert store.check_counts()
        assert store.checks(pid("secrets")) == []
    data_views(options, "ledger", "checks")


def data_views(options, *kinds):
    """Ask what Kibana asks for its data views."""
    with Elasticsearch(**options) as client:
        for kind in kinds:
            assert client.indices.get_mapping(index=f"guidewatch-{kind}")


WORK = {
    "guidewatch_setup": setup,
    "guidewatch_writer": write,
    "guidewatch_analyst": review,
    "guidewatch_feed_builder": build_feed,
    "guidewatch_feed_reader": read_summaries,
    "guidewatch_ledger_reader": read_ledger,
}


@pytest.fixture(scope="module")
def index_of(server):
    """Return the name of an index of each kind."""
    with Elasticsearch(**server.server.client_options()) as admin:
        found = admin.indices.get_alias(index="guidewatch-*")
    kinds = ("items", "ledger", "decisions", "histories", "checks")
    return {kind: next(name for name in found if name.startswith(f"guidewatch-{kind}-v")) for kind in kinds}


def forbidden(call, *arguments, **named):
    with pytest.raises(ApiError) as caught:
        call(*arguments, **named)
    assert caught.value.status_code == 403, caught.value
    return caught.value


def test_the_two_files_say_the_same():
    assert json.loads((FOLDER / "roles.json").read_text("utf-8")) == ROLES


@pytest.mark.parametrize("role", ROLES)
def test_each_role_suffices_for_its_process(server, tmp_path, role):
    WORK[role](server.as_user(role), tmp_path)


@pytest.mark.parametrize(
    ("user", "role", "missing"), [one[:3] for one in REDUCED], ids=[f"{one[1]}: {one[2]}" for one in REDUCED]
)
def test_no_role_has_a_right_that_its_process_does_not_need(server, tmp_path, user, role, missing):
    with pytest.raises((StoreRejectedError, ApiError)) as caught:
        WORK[role](server.as_user(user), tmp_path)
    assert "unauthorized" in str(caught.value) or "403" in str(caught.value), missing


def test_a_feed_reader_sees_no_text_whatever_way_it_asks(client_of):
    client = client_of("guidewatch_feed_reader")
    query = {"term": {"guidewatch.page_id": pid("secrets")}}
    (hit,) = client.search(index="guidewatch-items", query=query, fields=["*"], stored_fields=["*"], source=True)[
        "hits"
    ]["hits"]
    assert hit["_source"]["guidewatch"]["subject"] == ["firearm"]
    shown = json.dumps(hit.get("_source")) + json.dumps(hit.get("fields"))
    for hidden in ("secrets", "promises", "reads like", "ana", "words", "minhash"):
        assert hidden not in shown
    (hit,) = client.search(index="guidewatch-items", query=query, source=True)["hits"]["hits"]
    got = client.get(index=hit["_index"], id=hit["_id"])["_source"]
    assert hit["_source"] == got
    assert not {"title", "text", "search", "verdict", "decisions", "reason"} & got["guidewatch"].keys()
    assert got["url"].keys() == {"domain"}
    everywhere = {"multi_match": {"query": "secrets", "fields": ["*"], "lenient": True}}
    assert client_of("guidewatch_analyst").count(index="guidewatch-items", query=everywhere)["count"] == 1
    assert client.count(index="guidewatch-items", query=everywhere)["count"] == 0
    row = client.search(index="guidewatch-ledger", query=query)["hits"]["hits"][0]["_source"]
    assert row["url"].keys() == {"domain"}
    for kind in ("decisions", "histories"):
        forbidden(client.search, index=f"guidewatch-{kind}")


def test_a_feed_reader_and_an_analyst_change_and_delete_nothing(client_of, index_of):
    for user in ("guidewatch_feed_reader", "guidewatch_ledger_reader", "guidewatch_analyst"):
        client = client_of(user)
        for index in index_of.values():
            forbidden(client.index, index=index, id="x", document={})
            forbidden(client.update, index=index, id=pid("secrets"), doc={"guidewatch": {"score": 0}})
            forbidden(client.delete, index=index, id=pid("secrets"))
            forbidden(client.indices.delete, index=index)
        forbidden(client.indices.put_index_template, name="guidewatch-items", index_patterns=["x"])


def test_a_writer_changes_no_decision_and_deletes_no_row(client_of, index_of):
    client = client_of("guidewatch_writer")
    for kind, name in (("decisions", "label-secrets"), ("checks", "x")):
        forbidden(client.index, index=index_of[kind], id=name, document={"guidewatch": {"score": 0.0}})
    for kind in ("decisions", "checks", "ledger", "histories"):
        forbidden(client.delete, index=index_of[kind], id="label-secrets")


def test_a_writer_has_nothing_to_say_elsewhere(client_of, index_of):
    client = client_of("guidewatch_writer")
    forbidden(client.index, index="others", document={})
    forbidden(client.search, index="others")
    forbidden(client.indices.delete, index=index_of["items"])
    forbidden(client.indices.create, index="guidewatch-decisions-v9-000001")
    forbidden(client.cluster.put_settings, persistent={"cluster.routing.rebalance.enable": "all"})
    forbidden(client.indices.put_index_template, name="guidewatch-items", index_patterns=["x"])


def test_a_setup_user_has_nothing_to_say_elsewhere(client_of):
    client = client_of("guidewatch_setup")
    forbidden(client.index, index="others", document={})
    forbidden(client.indices.create, index="others")
    forbidden(client.cluster.put_settings, persistent={"cluster.routing.rebalance.enable": "all"})


def test_a_wrong_password_and_an_unknown_authority_are_one_line(server, tmp_path):
    odd = Authority(tmp_path, "another").ca
    for change, said in (
        ({"basic_auth": ("guidewatch_writer", "wrong")}, "does not accept the user name or the password"),
        ({"ca_certs": str(odd)}, "is not trusted"),
    ):
        connection = Connection(server.as_user("guidewatch_writer") | change)
        with pytest.raises(StoreRejectedError, match=said) as caught, connection.translated() as client:
            client.cluster.health()
        assert "\n" not in str(caught.value)
        connection.client.close()


def test_without_the_licence_a_feed_reader_sees_nothing_and_the_ledger_is_left(server, client_of):
    admin = Elasticsearch(**server.server.client_options())
    admin.license.post_start_basic(acknowledge=True)
    admin.close()
    forbidden(client_of("guidewatch_feed_reader").search, index="guidewatch-items")
    assert client_of("guidewatch_ledger_reader").count(index="guidewatch-ledger")["count"]
