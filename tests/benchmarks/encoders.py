"""`make bench-encoders`: models that differ in the encoder alone, on the same labelled pages; one row each."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from classifier import encoders, load
from classifier.choosing import choose
from tests.benchmarks.cascade import mixed

PASSAGES = 200
HEADER = (
    "| encoder | dimensions | CPU ms a passage | recall | false positives | disguised | calibration error "
    "| macro-F1 subjects | macro-F1 techniques |\n| --- |" + " --- |" * 8
)


def cpu_ms(encoder: encoders.Encoder) -> float:
    """Return the CPU milliseconds that a passage of the sample web takes, one thread."""
    texts = [text for document in mixed()[0] for text in choose(document).texts][::7][:PASSAGES]
    encoder.encode(texts[:3])
    began = time.process_time()
    encoder.encode(texts)
    return (time.process_time() - began) / len(texts) * 1e3


def main() -> None:
    """Print the row of one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--header", action="store_true", help="print the head of the table and end")
    parser.add_argument("--model", type=Path, help="model folder")
    parser.add_argument("data", nargs="*", help="labelled pages for `guidewatch evaluate`")
    options = parser.parse_args()
    if options.header:
        sys.stdout.write(HEADER + "\n")
        return
    with threadpool_limits(1):
        encoder = load(options.model).encoder
        took_ms = cpu_ms(encoder)
    asked = [sys.executable, "-m", "guidewatch", "evaluate", *options.data, "--model", str(options.model)]
    done = subprocess.run([*asked, "--disguised", "--json"], stdout=subprocess.PIPE, check=True)
    report = json.loads(done.stdout)
    pages = report["pages"]
    tests = {
        test["test"]: test["recall"]["value"]
        for test in report["derived"]["tests"]
        if (test["kind"], test["language"]) == ("all", "all")
    }
    whole = pages["overall"]
    figures = [
        whole["recall"]["value"],
        whole["false_positive_rate"]["value"],
        tests["disguised"],
        pages["calibration_error"],
        pages["subjects"]["macro_f1"],
        pages["techniques"]["macro_f1"],
    ]
    cells = [f"`{encoder.name.partition(':')[0]}`", str(encoder.dim), f"{took_ms:.1f}", *(f"{x:.3f}" for x in figures)]
    sys.stdout.write(f"| {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
