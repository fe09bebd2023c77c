"""`guidewatch dlq` as people call it, on a real Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.index import IndexStage
from storage.sqlite import SqliteStore
from tests.contract.samples import judged
from tests.e2e import processes
from tests.integration.consumers.backbone import Backbone, clock, until

BAD = "a page that is no page "


@pytest.fixture
def backbone(kafka_bootstrap: str, kafka_prefix: str, tmp_path: Path) -> Iterator[Backbone]:
    """Two messages of index among the dead letters, one of which a newer store would take."""
    store = SqliteStore(tmp_path / "store.sqlite", clock=clock)
    store.setup()
    with Backbone.made(kafka_bootstrap, kafka_prefix) as made:
        topic = made.topics.pages_judged
        made.send_bytes(topic, BAD.encode() * 50, "1")
        made.send_bytes(topic, judged_too_deep(), judged("one").page_id, [("traceparent", b"00-abc")])
        with made.running(IndexStage(store, made.topics)) as run:
            until(lambda: run.loop.status().summary.records == 2, "both messages")
        yield made
    store.close()


def judged_too_deep() -> bytes:
    from events import encode

    return encode(judged("one", text="Words of the page.")).replace(b'"depth":0', b'"depth":99999999999999999999999')


def test_letters_are_listed_shown_sent_back_and_dropped(backbone: Backbone, tmp_path: Path) -> None:
    def dlq(*arguments: str, status: int = 0) -> Any:
        extra = {
            "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": backbone.options["bootstrap_servers"],
            "GUIDEWATCH_KAFKA_TOPIC_PREFIX": backbone.topics.prefix,
        }
        done = processes.run("dlq", *arguments, "--json", extra=extra)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        for words in (BAD, "Words of the page."):
            assert words not in done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    listed = dlq("list", "--topic", "pages.judged", "--stage", "index")
    assert listed["total"] == 2
    (one,) = dlq("list", "--page", judged("one").page_id)["letters"]
    assert (one["error"], one["url"], one["replays"]) == ("StoreRejectedDocument", "hxxps://a[.]example/one", 0)

    copy = tmp_path / "message.json"
    shown = dlq("show", one["id"], "--to", str(copy))
    assert copy.read_bytes() == judged_too_deep()
    assert copy.stat().st_mode & 0o077 == 0
    assert shown["message"]["fields"]["text_chars"] == len("Words of the page.")
    assert shown["headers"]["traceparent"] == "00-abc"
    assert "is there already" in dlq("show", one["id"], "--to", str(copy), status=2)

    assert dlq("replay", one["id"])["replayed"] == 1
    assert dlq("replay", one["id"], status=1)["settled_before"] == [one["id"]]
    assert len(backbone.messages(backbone.topics.pages_judged)) == 3
    assert dlq("drop", "--all-open", "--reason", "no page", "--by", "ana")["dropped"] == 1
    assert dlq("list")["total"] == 0
    became = {letter["settled"]["settled"]: letter["settled"]["by"] for letter in dlq("list", "--all")["letters"]}
    assert became["dropped"] == "ana"
    assert became.keys() == {"dropped", "replayed"}
    assert "there is no dead letter" in dlq("replay", "pages.judged.dlq/0/99", status=2)
