"""The same sample web, embedded and through real Kafka and Elasticsearch with a process for every stage."""

import json
import re
from collections import Counter, defaultdict
from contextlib import ExitStack

import pytest

from events import PageJudged, Topics, UrlEnded, decode
from guidewatch import composition
from guidewatch.commands import crawling, demo
from guidewatch.demo import sample_web
from storage import ItemQuery, LedgerQuery
from storage.elastic import ElasticStore
from tests.e2e import processes

TOKEN = "a-token-for-the-test-only"
MAY = defaultdict(tuple, spider=("--allow-private",))
STAGES = ("spider", "classify", "index", "label", "evidence")


@pytest.fixture(scope="module")
def web():
    with sample_web() as running:
        yield running


@pytest.fixture(scope="module")
def embedded(web, tmp_path_factory):
    """Ledger rows of the embedded run, by URL."""
    folder = tmp_path_factory.mktemp("embedded")
    crawling.run_embedded(demo.demo_plan(web, folder))
    store = composition.sqlite_store(folder)
    rows = store.ledger(LedgerQuery(limit=10_000)).rows
    store.close()
    return {row.url: row for row in rows}


@pytest.fixture(scope="module")
def installation(elasticsearch_server, kafka_bootstrap, tmp_path_factory):
    from tests.servers.elasticsearch import own_prefix

    folder = tmp_path_factory.mktemp("distributed")
    with own_prefix(elasticsearch_server) as prefix:
        yield (
            {
                "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
                "GUIDEWATCH_KAFKA_TOPIC_PREFIX": prefix,
                "GUIDEWATCH_ELASTICSEARCH_HOSTS": elasticsearch_server.url,
                "GUIDEWATCH_ELASTICSEARCH_PREFIX": prefix,
                "GUIDEWATCH_EVIDENCE_WARC_DIR": str(folder / "warc"),
                "GUIDEWATCH_EVIDENCE_VAULT_DIR": str(folder / "vault"),
                "GUIDEWATCH_CRAWL_DELAY_S": "0",
                "GUIDEWATCH_CRAWL_MAX_PAGES": "2000",
                "GUIDEWATCH_CRAWL_MAX_DEPTH": "8",
                "GUIDEWATCH_REVIEW_TOKENS": f"ana={TOKEN}",
                "GUIDEWATCH_REVIEW_SECRET": "a-secret-for-the-test-only-0123456789",
                "GUIDEWATCH_REVIEW_PORT": "0",
                "GUIDEWATCH_LOG_LEVEL": "WARNING",
            },
            folder,
        )


@pytest.fixture(scope="module")
def store(installation, elasticsearch_server):
    extra, _ = installation
    made = ElasticStore(elasticsearch_server.client_options(), prefix=extra["GUIDEWATCH_ELASTICSEARCH_PREFIX"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def distributed(web, installation, store):
    """Ledger rows of the distributed run, by URL, with every stage still running."""
    extra, _ = installation
    with ExitStack() as running:
        setup = processes.run("setup", extra=extra)
        assert setup.returncode == 0, setup.stderr
        assert processes.run("setup", extra=extra).returncode == 0
        workers = [
            running.enter_context(processes.started("work", stage, *(MAY[stage]), extra=extra)) for stage in STAGES
        ]
        crawl = processes.run("crawl", "start", web.origins["portal"] + "/", "--json", extra=extra, timeout_s=150)
        assert crawl.returncode == 0, crawl.stderr
        assert json.loads(crawl.stdout)["because"] == "frontier dry"
        found = published(extra, Topics(extra["GUIDEWATCH_KAFKA_TOPIC_PREFIX"]).pages_found)

        def all_indexed():
            assert all(worker.poll() is None for worker in workers), "a worker has ended"
            store.refresh()
            counts = store.ledger_counts()
            # Of a batch, the rows of the ledger come first and the items after them.
            return sum(counts.values()) >= len(found) and store.search(ItemQuery(limit=1)).total >= counts["flagged"]

        processes.wait_for(all_indexed, f"{len(found)} URLs in the ledger, and their items", timeout_s=120)
        yield {row.url: row for row in store.ledger(LedgerQuery(limit=10_000)).rows}
        for worker in workers:
            _, err = processes.stop(worker)
            assert worker.returncode == 0, err
            assert "stopped:" in err
            assert "Traceback" not in err


def published(extra, topic):
    """Return every committed event of a topic."""
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=extra["GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=3_000,
    )
    try:
        return [decode(message.value) for message in consumer]
    finally:
        consumer.close()


def flagged(rows):
    return {row.content_id for row in rows.values() if row.outcome == "flagged"}


def test_both_runs_flag_the_same_texts(embedded, distributed):
    assert flagged(distributed) == flagged(embedded)
    assert len(flagged(embedded)) >= 50


def test_both_runs_end_every_url_in_the_same_outcome(embedded, distributed):
    # Which of two exact copies is the page and which the duplicate depends on who was fetched first; in the distributed
    # run, copies on hosts of two partitions are both pages (ADR 0015).
    copies = {
        row.content_id
        for rows in (embedded, distributed)
        for row in rows.values()
        if row.outcome == "duplicate" and row.reason != "redirect"
    }

    def outcomes(rows):
        return {url: row.outcome for url, row in rows.items() if row.content_id not in copies}

    assert outcomes(distributed) == outcomes(embedded)


def test_each_item_is_there_exactly_once(distributed, store):
    items = store.search(ItemQuery(limit=1000)).items
    counted = Counter(item.page_id for item in items)
    assert set(counted.values()) == {1}
    assert set(counted) == {row.page_id for row in distributed.values() if row.outcome == "flagged"}


def test_each_page_was_judged_exactly_once(distributed, installation):
    topics = Topics(installation[0]["GUIDEWATCH_KAFKA_TOPIC_PREFIX"])
    judged = published(installation[0], topics.pages_judged)
    assert max(Counter(event.page_id for event in judged).values()) == 1
    assert {type(event) for event in judged} == {PageJudged, UrlEnded}
    assert not any(event.text for event in judged if isinstance(event, PageJudged) and not event.verdict.flagged)


def test_nothing_is_in_the_dead_letters(distributed, installation):
    topics = Topics(installation[0]["GUIDEWATCH_KAFKA_TOPIC_PREFIX"])
    for topic in (topics.pages_found, topics.pages_judged, topics.labels_recorded):
        assert published(installation[0], topics.dead_letters(topic)) == []


def test_the_evidence_of_every_item_comes_into_the_vault(distributed, installation, store):
    vault = installation[1] / "vault"
    wanted = {item.evidence.sha256 for item in store.search(ItemQuery(limit=1000)).items}

    def all_there():
        return all((vault / digest[:2] / f"{digest[2:]}.warc.gz").is_file() for digest in wanted)

    processes.wait_for(all_there, "the evidence of every item", timeout_s=30)


def test_a_decision_in_the_browser_appears_in_elasticsearch(distributed, installation, store, watched_page):
    extra, _ = installation
    with processes.started("review", extra=extra) as app:
        line = app.stderr.readline()
        url = re.search(r"http://\S+", line)[0]
        page = watched_page()
        page.goto(url)
        page.fill("input[name=token]", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-row]")
        item = store.search(ItemQuery(limit=1)).items[0]
        page.goto(f"{url.rstrip('/')}/items/{item.page_id}")
        page.wait_for_selector("[data-item]")
        page.wait_for_timeout(600)  # keys pressed sooner are not heeded
        page.keyboard.press("l")

        def decided():
            store.refresh()
            found = store.item(item.page_id)
            return found if found.decision else None

        found = processes.wait_for(decided, "the decision in Elasticsearch", timeout_s=30)
        assert (found.decision, found.decisions[-1].analyst) == ("lawful", "ana")
        assert found.verdict == item.verdict
        page.close()
        _, err = processes.stop(app)
        assert "Traceback" not in err


def test_status_speaks_of_the_same_figures(distributed, installation):
    done = processes.run("status", "--json", extra=installation[0])
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert sum(shown["ledger"].values()) == len(distributed)
    assert shown["ledger"]["flagged"] == sum(shown["decisions"].values())


def test_the_crawl_says_how_it_ended(distributed, installation):
    done = processes.run("crawl", "info", "--json", extra=installation[0])
    assert done.returncode == 0, done.stderr
    (crawl,) = json.loads(done.stdout)["crawls"]
    assert (crawl["phase"], crawl["because"], crawl["open"]) == ("ended", "frontier dry", 0)
    assert sum(crawl["outcomes"].values()) == len(distributed)
