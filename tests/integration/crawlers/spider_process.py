"""One spider in a process of its own, with its options as JSON; prints ``ready``, and its summary at the end."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from pathlib import Path

import msgspec

from crawlers.distributed.connection import Membership
from crawlers.distributed.spider import Spider, SpiderOptions
from events import Topics

options = json.loads(sys.argv[1])
logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {options['instance']} %(name)s %(message)s")
for name in ("kafka", "scrapy", "asyncio"):
    logging.getLogger(name).setLevel(logging.CRITICAL)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
spider = Spider(
    {"bootstrap_servers": options["bootstrap"]},
    Topics(options["prefix"]),
    Membership(
        f"{options['prefix']}.spider",
        options["instance"],
        session_timeout_s=options.get("session_timeout_s", 3.0),
        transaction_timeout_s=options.get("transaction_timeout_s", 3.0),
    ),
    SpiderOptions(warc_dir=Path(options["folder"]) / "warc", allow_private=frozenset("*")),
)
sys.stdout.write("ready\n")
sys.stdout.flush()
summary = spider.run(stop)
sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
