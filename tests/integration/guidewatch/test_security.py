"""An installation with TLS, users and rights that are enforced, on real servers.

It works with the rights that are written down for it, and says in one line what is wrong.
"""

import json
import re
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.admin import ACLResourcePatternType as PatternType
from kafka.errors import TopicAuthorizationFailedError

from consumers.labels import LabelPublisher
from events import Topics, encode
from storage.elastic import ElasticStore
from tests.contract.samples import judged, label, pid
from tests.e2e import processes
from tests.integration.crawlers.site import Site, html, serve
from tests.servers.certificates import Authority
from tests.servers.secured import access_rules, secured_elasticsearch, secured_kafka

ROOT = Path(__file__).parents[3]
ROLES = yaml.safe_load((ROOT / "storage" / "elastic" / "security" / "roles.yml").read_text("utf-8"))
RULES = access_rules((ROOT / "consumers" / "security" / "kafka-acls.txt").read_text("utf-8"))
USERS = sorted({rule["principal"].removeprefix("User:") for rule in RULES})
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
ROLE_OF = {"setup": "guidewatch_setup", "index": "guidewatch_writer", "label": "guidewatch_writer"}
STAGES = ("spider", "classify", "index", "label", "evidence")


def acls():
    for rule in RULES:
        for kind, name in rule["resources"]:
            pattern = ResourcePattern(RESOURCES[kind], name, PatternType[rule["pattern"].upper()])
            for operation in rule["operations"]:
                allowed = ACLPermissionType.ALLOW
                yield ACL(rule["principal"], "*", ACLOperation[operation.upper()], allowed, pattern)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def kafka(authority):
    with secured_kafka(authority, USERS) as server:
        admin = KafkaAdminClient(**server.options)
        made = admin.create_acls(list(acls()))
        assert not made["failed"]
        admin.close()
        yield server


@pytest.fixture(scope="module")
def elasticsearch(authority):
    with secured_elasticsearch(authority, ROLES) as server:
        yield server


@pytest.fixture(scope="module")
def settings_of(kafka, elasticsearch, authority, tmp_path_factory):
    """Return a function that gives a process the user that is written down for it."""
    folder = tmp_path_factory.mktemp("evidence")

    def given(name, role=None):
        return {
            **kafka.environment(authority, f"guidewatch-{name}"),
            **elasticsearch.environment(role or ROLE_OF.get(name, "guidewatch_analyst")),
            "GUIDEWATCH_EVIDENCE_WARC_DIR": str(folder / "warc"),
            "GUIDEWATCH_EVIDENCE_VAULT_DIR": str(folder / "vault"),
            "GUIDEWATCH_CRAWL_DELAY_S": "0",
        }

    return given


@pytest.fixture(scope="module")
def set_up(settings_of):
    done = processes.run("setup", extra=settings_of("setup"))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def store(elasticsearch, set_up):
    made = ElasticStore(elasticsearch.as_user("guidewatch_analyst"))
    yield made
    made.close()


@pytest.fixture
def send(kafka):
    """Return a function that an administrator writes events with."""
    producer = KafkaProducer(**kafka.options, acks="all")

    def one(topic, event):
        value = b"poison" if event is None else encode(event)
        producer.send(topic, key=b"x" if event is None else event.page_id.encode(), value=value).get(timeout=10)

    yield one
    producer.close()


def letters(extra):
    done = processes.run("dlq", "list", "--json", extra=extra)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["letters"]


def test_the_whole_pipeline_runs_with_the_rights_that_are_written_down(settings_of, set_up, store, kafka, send):
    site = Site({"/": html("A page about a garden behind an old house, and nothing else at all.")})
    with serve(site), ExitStack() as running:
        workers = [
            running.enter_context(
                processes.started("work", stage, *(["--allow-private"] * (stage == "spider")), extra=settings_of(stage))
            )
            for stage in STAGES
        ]
        crawl = processes.run("crawl", "start", site.url(), "--json", extra=settings_of("crawl"), timeout_s=150)
        assert crawl.returncode == 0, crawl.stderr
        publisher = LabelPublisher(kafka.options | {"sasl_plain_username": "guidewatch-review"}, Topics())
        publisher.record(label("one"))
        publisher.close()
        send(Topics().pages_found, None)

        def all_there():
            assert all(worker.poll() is None for worker in workers), [w.stderr.read() for w in workers if w.poll()]
            return store.ledger_counts()["not_flagged"] and list(store.decisions())

        processes.wait_for(all_there, "the page in the ledger, and the decision", timeout_s=120)
        processes.wait_for(lambda: letters(settings_of("dlq")), "the dead letter", every_s=1)
        for command in (("replay", "--all-open"), ("drop", "--all-open", "--reason", "a test")):
            settled = processes.run("dlq", *command, extra=settings_of("dlq"))
            assert settled.returncode == 0, settled.stderr
        shown = json.loads(processes.run("status", "--json", extra=settings_of("status")).stdout)
        assert {one["stage"]: one["members"] for one in shown["flow"]["stages"]} == dict.fromkeys(STAGES, 1)
        for worker in workers:
            _, err = processes.stop(worker)
            assert (worker.returncode, "Traceback" in err) == (0, False), err


def test_people_s_commands_run_with_the_rights_that_are_written_down(settings_of, set_up, store, send, tmp_path):
    with processes.started("work", "index", extra=settings_of("index")):
        send(Topics().pages_judged, judged("listed"))
        processes.wait_for(lambda: store.item(pid("listed")), "the item")
    build = ("feed", "build", "--to", str(tmp_path / "feeds"), "--restricted")
    assert processes.run(*build, extra=settings_of("review", "guidewatch_feed_builder")).returncode == 0
    extra = settings_of("review") | {
        "GUIDEWATCH_REVIEW_TOKENS": "ana=a-token-for-the-test-only",
        "GUIDEWATCH_REVIEW_SECRET": "a-secret-for-the-test-only-0123456789",
        "GUIDEWATCH_REVIEW_PORT": "0",
    }
    with processes.started("review", extra=extra) as app:
        url = re.search(r"http://\S+", app.stderr.readline())[0]
        with urllib.request.urlopen(f"{url.rstrip('/')}/healthz", timeout=20) as answer:
            assert answer.read() == b"ok\n"
        processes.stop(app)


CASES = {
    "password": (("work", "classify"), {"GUIDEWATCH_KAFKA_SASL_PASSWORD": "wrong"}, ("refuses the credentials",)),
    "password of a crawl": (
        ("crawl", "info"),
        {"GUIDEWATCH_KAFKA_SASL_PASSWORD": "wrong"},
        ("refuses the credentials",),
    ),
    "authority": (("work", "index"), {"GUIDEWATCH_KAFKA_SSL_CAFILE": "ODD"}, ("certificate", "refused")),
    "authority of a crawl": (("crawl", "info"), {"GUIDEWATCH_KAFKA_SSL_CAFILE": "ODD"}, ("certificate", "refused")),
    "name": (("setup",), {"GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": "MISNAMED"}, ("mismatch", "127.0.0.1")),
    "name of a crawl": (
        ("crawl", "info"),
        {"GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": "MISNAMED"},
        ("mismatch", "127.0.0.1"),
    ),
    "rights": (("work", "index"), {"GUIDEWATCH_KAFKA_SASL_USERNAME": "guidewatch-review"}, ("pages.judged",)),
    "half of it": (("work", "label"), {"GUIDEWATCH_KAFKA_SASL_PASSWORD": ""}, ("GUIDEWATCH_KAFKA_SASL_PASSWORD",)),
    "elasticsearch": (
        ("feed", "build"),
        {"GUIDEWATCH_ELASTICSEARCH_PASSWORD": "wrong"},
        ("does not accept", "password"),
    ),
    "elasticsearch's authority": (("feed", "build"), {"GUIDEWATCH_ELASTICSEARCH_CA_CERTS": "ODD"}, ("is not trusted",)),
    "elasticsearch's role": (("setup",), {"GUIDEWATCH_ELASTICSEARCH_USERNAME": "guidewatch_analyst"}, ("forbids",)),
}


@pytest.fixture(scope="module")
def refusals(settings_of, kafka, set_up, tmp_path_factory):
    """What each wrong setting ends in: all are tried at once, since each waits for a server."""
    odd = str(Authority(tmp_path_factory.mktemp("odd"), "another").ca)
    places = {"ODD": odd, "MISNAMED": kafka.misnamed}
    with ExitStack() as running:
        started = {}
        for name, (command, changed, _) in CASES.items():
            user = "setup" if command[0] == "setup" else "crawl" if command[0] == "crawl" else command[-1]
            extra = settings_of(user if f"guidewatch-{user}" in USERS else "review")
            extra |= {key: places.get(value, value) for key, value in changed.items()}
            started[name] = running.enter_context(processes.started(*command, extra=extra))
        yield {name: (process.communicate(timeout=120)[1], process.returncode) for name, process in started.items()}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_in_one_line(refusals, name):
    err, status = refusals[name]
    assert "Traceback" not in err
    (said,) = [line for line in err.splitlines() if line.startswith("guidewatch: ")]
    if "does not let us in" in said and name.startswith("password"):  # a broker may hang up before it has said why
        assert (status, "the password" in said) == (1, True)
        return
    assert status == 2, err
    for word in CASES[name][2]:
        assert word in said


def test_a_broker_that_asks_for_a_certificate_gets_ours(kafka, authority, tmp_path):
    extra = {
        "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka.mutual,
        "GUIDEWATCH_KAFKA_SECURITY_PROTOCOL": "SSL",
        "GUIDEWATCH_KAFKA_SSL_CAFILE": str(authority.ca),
    }
    refused = processes.run("crawl", "info", extra=extra, timeout_s=120)
    assert refused.returncode == 1
    assert "does not let us in" in refused.stderr
    assert "Traceback" not in refused.stderr
    extra["GUIDEWATCH_KAFKA_SSL_CERTFILE"] = str(authority.issue("operator"))
    assert processes.run("crawl", "info", extra=extra).returncode == 0


def test_plain_passwords_work_too(kafka, authority, settings_of, set_up):
    extra = settings_of("crawl") | {
        "GUIDEWATCH_KAFKA_SASL_MECHANISM": "PLAIN",
        "GUIDEWATCH_KAFKA_SASL_USERNAME": "admin",
    }
    assert processes.run("crawl", "info", extra=extra).returncode == 0


@pytest.mark.parametrize(
    ("user", "topic"),
    [("classify", "labels.recorded"), ("review", "pages.judged"), ("index", "pages.found"), ("evidence", "crawls")],
)
def test_nobody_writes_where_they_have_no_business(kafka, set_up, user, topic):
    options = kafka.options | {"sasl_plain_username": f"guidewatch-{user}"}
    producer = KafkaProducer(**options, max_block_ms=5_000)
    with pytest.raises(TopicAuthorizationFailedError):
        producer.send(topic, b"x").get(timeout=10)
    producer.close(timeout=1)


def test_a_password_that_is_changed_meanwhile_costs_nothing_but_time(elasticsearch, settings_of, store, send):
    user = "guidewatch_writer"
    with processes.started("work", "index", "--json", extra=settings_of("index")) as worker:
        send(Topics().pages_judged, judged("before"))
        processes.wait_for(lambda: store.item(pid("before")), "the first item")
        elasticsearch.set_password(user, "another-password")
        time.sleep(2.5)
        send(Topics().pages_judged, judged("meanwhile"))
        line = next(line for line in worker.stderr if "tries again" in line)
        assert "does not accept the user name or the password" in line
        elasticsearch.set_password(user, elasticsearch.password)
        processes.wait_for(lambda: store.item(pid("meanwhile")), "the item that had to wait", timeout_s=60)
        out, _ = processes.stop(worker, within_s=30)
        assert json.loads(out)["summary"]["dead_letters"] == 0
