"""The sample web is what the issue asks for, and its positives keep the rule."""

import html
import re
from collections import Counter

import pytest

from classifier.examples import quantity_with_unit
from crawlers.extraction import extract_html, extract_pdf
from events import CONTEXTS, SUBJECTS, TECHNIQUES
from guidewatch.demo import truth
from guidewatch.demo.pages import SITES, WEB

PAGES = truth()
POSITIVES = [page for page in PAGES if page.label == "positive"]


def body(page):
    return (WEB / page.site / page.path.lstrip("/")).read_bytes()


def text(page):
    read = extract_pdf(body(page)) if page.path.endswith(".pdf") else extract_html(body(page))
    return f"{read.title}\n{read.text}"


def test_there_are_at_least_150_pages_and_each_file_is_in_the_truth():
    named = {(page.site, page.path) for page in PAGES}
    files = {
        (site, "/" + str(path.relative_to(WEB / site)))
        for site in SITES
        for path in (WEB / site).rglob("*")
        if path.suffix in (".html", ".pdf")
    }
    assert files <= named
    assert {page.label for page in PAGES if (page.site, page.path) not in files} <= {"missing", "redirect"}
    assert len(files) >= 150


@pytest.mark.parametrize("language", ["ar", "zh", "en", "fr", "ru", "es"])
def test_every_language_has_positives_and_hard_negatives_of_every_context(language):
    own = [page for page in PAGES if page.language == language]
    assert sum(page.label == "positive" for page in own) >= 9
    assert {page.context for page in own if page.label == "negative"} == set(CONTEXTS)


def test_positives_cover_the_taxonomy():
    assert {name for page in POSITIVES for name in page.subjects} == set(SUBJECTS)
    assert {name for page in POSITIVES for name in page.techniques} == set(TECHNIQUES)


SHORT = [page for page in POSITIVES if len(text(page)) <= 4_000]
"""The others hide their section among harmless ones, which may have quantities."""


@pytest.mark.parametrize("page", SHORT, ids=lambda page: page.site + page.path)
def test_no_short_positive_carries_a_quantity_with_a_unit(page):
    assert quantity_with_unit(text(page)) is None


def test_most_positives_are_short_enough_for_that_check():
    assert len(SHORT) > len(POSITIVES) / 2


def test_no_two_pages_share_a_skeleton():
    skeletons = Counter(
        " ".join(re.findall(r"<(\w+)", html.unescape(body(page).decode("utf-8", "replace"))))
        for page in PAGES
        if page.path.endswith(".html") and page.site not in ("portal", "mirror") and page.label != "missing"
    )
    assert max(skeletons.values()) == 1
