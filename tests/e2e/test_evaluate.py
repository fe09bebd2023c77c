"""`guidewatch evaluate` with the shipped model; its report in a real browser."""

import gzip
import json
import re

import pytest
from playwright.sync_api import expect

from classifier.examples import CORPUS
from classifier.taxonomy import LANGUAGES
from tests.e2e import processes

MARKER = "zyxmarkerword"
TURKISH = "Bahçe eski evin arkasında uzanıyor ve komşular her sabah ağaçları suluyor. Çocuklar çayırda oynuyor. "


def pages():
    """Yield pages of the corpus, ten a language, each with a word of its own, and two in Turkish."""
    for language in LANGUAGES:
        rows = [json.loads(line) for line in (CORPUS / f"{language}.jsonl").read_text("utf-8").splitlines()]
        guides = [row for row in rows if row["of_concern"]][:5]
        about = [row for row in rows if not row["of_concern"] and row["subjects"]][:3]
        neutral = [row for row in rows if not row["of_concern"] and not row["subjects"]][:2]
        for row in (*guides, *about, *neutral):
            yield {
                "id": row["id"],
                "language": language,
                "title": f"{row['title']} {MARKER}",
                "text": f"{row['text']} {MARKER}",
                "label": int(row["of_concern"]),
                "subjects": row["subjects"],
                "techniques": row["techniques"],
                "kind": row["register"],
            }
    for number in range(2):
        yield {
            "id": f"tr-{number}",
            "lang": "tr",
            "text": f"{TURKISH * 3} {number} {MARKER}",
            "label": 0,
            "title": MARKER,
        }


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "pages.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(page) for page in pages()).encode()))
    return path


@pytest.fixture(scope="module")
def report(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    asked = ["evaluate", str(data), "--hidden", "--disguised", "--report", str(folder), "--json"]
    done = processes.run(*asked, "--markdown", str(folder / "tables.md"), "--card", str(folder / "card.md"))
    assert done.returncode == 0, done.stderr
    return folder, done


def test_the_shipped_model_is_measured(report):
    folder, done = report
    made = json.loads((folder / "report.json").read_text("utf-8"))
    assert json.loads(done.stdout) == made
    overall = made["pages"]["overall"]
    assert (overall["pages"], overall["of_concern"], overall["unsupported"]) == (62, 30, 2)
    assert overall["recall"]["value"] >= 0.9  # it was trained on them
    assert overall["false_positive_rate"]["of"] == 30
    assert {test["test"] for test in made["derived"]["tests"]} == {"hidden", "disguised"}
    assert "By language" in done.stderr


def test_no_text_of_a_page_leaves_it(report):
    folder, done = report
    for text in (done.stdout, done.stderr, *(path.read_text("utf-8") for path in folder.iterdir())):
        assert MARKER not in text.lower()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_reads_well_in_a_browser(report, watched_page, scheme, width, tmp_path):
    folder, _ = report
    page = watched_page(color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=True)
    page.goto((folder / "report.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_have_text("How well the classifier judges")
    expect(page.locator("figure svg")).to_have_count(4)
    expect(page.get_by_role("row", name=re.compile("^recall over the six languages"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 21, 27)"}[scheme]
    expect(page.locator("body")).to_have_css("background-color", paper)
    labels = page.locator("figure svg text").first
    expect(labels).to_have_css("fill", {"light": "rgb(86, 98, 116)", "dark": "rgb(154, 167, 183)"}[scheme])
    assert page.evaluate("[...document.querySelectorAll('svg')].every(e => e.getBoundingClientRect().height > 150)")


def test_the_report_needs_no_script_and_prints(report, watched_page):
    folder, _ = report
    page = watched_page(java_script_enabled=False)
    page.goto((folder / "report.html").as_uri())
    expect(page.get_by_role("heading", name="Worst errors")).to_be_visible()
    page.emulate_media(media="print")
    assert len(page.pdf(prefer_css_page_size=True)) > 20_000


def test_a_bad_line_ends_at_once_with_one_line_and_status_2(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "1", "text": "x", "label": 1}\n{"id": "2", "text": "x", "label": 7}\n')
    done = processes.run("evaluate", str(path))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"guidewatch: {path}, line 2: `label` is 0 or 1, not 7"]
    assert done.stdout == ""
