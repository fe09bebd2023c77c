"""The same sample web, embedded and through real Kafka and Elasticsearch with a process for every stage."""

import json
import re
import urllib.request
from collections import Counter, defaultdict
from contextlib import ExitStack

import pytest
from prometheus_client.parser import text_string_to_metric_families

from events import PageJudged, Topics, UrlEnded, decode
from events.trace import trace_id
from guidewatch import composition
from guidewatch.commands import crawling, demo
from guidewatch.demo import sample_web
from storage import ItemQuery, LedgerQuery
from storage.elastic import ElasticStore
from tests.e2e import processes
from tests.servers.kafka import free_ports

TOKEN = "a-token-for-the-test-only"
STAGES = ("spider", "classify", "index", "label", "evidence")
PORTS: dict[str, int] = {}
MAY = defaultdict(tuple, spider=("--allow-private",))


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
        PORTS.update(zip(STAGES, free_ports(len(STAGES)), strict=True))
        workers = [
            running.enter_context(processes.started("work", stage, *(MAY[stage]), extra=extra | metrics_at(stage)))
            for stage in STAGES
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


def metrics_at(stage):
    return {"GUIDEWATCH_METRICS_PORT": str(PORTS[stage])}


def counted(stage, name, **labels):
    """Return the sum of the samples of a metric that have these labels, of a running stage."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORTS[stage]}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def published(extra, topic):
    """Return every committed event of a topic."""
    return [decode(message.value) for message in messages(extra, topic)]


def messages(extra, topic):
    """Return every committed message of a topic."""
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=extra["GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=3_000,
    )
    try:
        return list(consumer)
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


def test_the_trace_of_each_url_goes_from_the_spider_to_the_judgement(distributed, installation):
    topics = Topics(installation[0]["GUIDEWATCH_KAFKA_TOPIC_PREFIX"])
    found = {message.key: message for message in messages(installation[0], topics.pages_found)}
    judged = messages(installation[0], topics.pages_judged)
    traces = {message.key: trace_id(message.headers) for message in judged}
    assert traces == {key: trace_id(message.headers) for key, message in found.items()}
    assert traces == {key: decode(message.value).id for key, message in found.items()}
    times = {message.key: dict(message.headers)["guidewatch.found_at"] for message in judged}
    assert times == {key: b"%d" % message.timestamp for key, message in found.items()}


def test_the_metrics_of_the_stages_agree_with_the_ledger(distributed):
    outcomes = Counter(row.outcome for row in distributed.values())
    ended = "guidewatch_stage_outcomes_total"
    for stage in ("spider", "classify", "index"):  # what is in the store is counted when its offsets are committed
        processes.wait_for(lambda at=stage: counted(at, ended) == len(distributed), f"all URLs counted by {stage}")
    for outcome, count in outcomes.items():
        assert counted("index", ended, outcome=outcome) == count
    judged = sum(row.score is not None for row in distributed.values())
    assert counted("spider", ended, outcome="page") == judged
    for since in ("found", "fetched"):
        assert counted("index", "guidewatch_page_latency_seconds_count", since=since) == judged
    assert counted("classify", "guidewatch_classifier_info") == 1
    for stage in STAGES:
        assert counted(stage, "guidewatch_stage_state", state="running") == 1
        assert counted(stage, "guidewatch_stage_dead_letters_total") == 0
        for path in ("healthz", "readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{PORTS[stage]}/{path}", timeout=10) as answer:
                assert answer.status == 200


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
    balance = shown["flow"]["balance"]
    assert (balance["found"], balance["dead_letter"], balance["in_flight"]) == (len(distributed), 0, [0, 0])
    assert {name: count for name, count in balance["outcomes"].items() if count} == {
        name: count for name, count in shown["ledger"].items() if count
    }
    assert {one["stage"]: one["members"] for one in shown["flow"]["stages"]} == dict.fromkeys(STAGES, 1)


def test_ledger_tells_the_way_of_a_url_and_of_its_host(distributed, installation):
    row = next(row for row in distributed.values() if row.outcome == "flagged")
    done = processes.run("ledger", row.url, "--json", extra=installation[0])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["row"]
    assert (found["page_id"], found["outcome"]) == (row.page_id, "flagged")
    assert found["found_at"] and found["judged_at"] and found["indexed_at"]
    assert row.url not in done.stderr
    host = json.loads(processes.run("ledger", row.host, "--json", extra=installation[0]).stdout)
    assert host["total"] == sum(one.host == row.host for one in distributed.values())


def test_the_crawl_says_how_it_ended(distributed, installation):
    done = processes.run("crawl", "info", "--json", extra=installation[0])
    assert done.returncode == 0, done.stderr
    (crawl,) = json.loads(done.stdout)["crawls"]
    assert (crawl["phase"], crawl["because"], crawl["open"]) == ("ended", "frontier dry", 0)
    assert sum(crawl["outcomes"].values()) == len(distributed)
