from __future__ import annotations

from random import Random

import pytest

from crawlers.focus.features import features_of, title_features
from crawlers.focus.learner import History, LinkLearner, Standing

NOTHING = Standing(near=0.2, votes=0.0, host=0.2, folder=0.2, distance=0)


def link(anchor: str, url: str = "https://example.org/a") -> bytes:
    return features_of(url, anchor, "", same_host=True)


def test_before_it_has_learnt_all_links_of_equal_standing_are_equal() -> None:
    learner = LinkLearner()
    one, other = learner.expect([link("roses"), link("lathes")], [NOTHING, NOTHING])
    assert one == other


def test_before_it_has_learnt_like_leads_to_like() -> None:
    near = NOTHING._replace(near=0.9)
    learner = LinkLearner()
    assert learner.expect([link("roses")], [near])[0] > learner.expect([link("roses")], [NOTHING])[0]


def test_it_learns_which_words_lead_on() -> None:
    learner, rng = LinkLearner(), Random(1)
    for _ in range(60):
        kind = rng.choice(["roses", "lathes"])
        learner.learn(link(f"{kind} {rng.choice(['today', 'again'])}"), NOTHING, 0.9 if kind == "roses" else 0.05)
    good, bad = learner.expect([link("roses tomorrow"), link("lathes tomorrow")], [NOTHING, NOTHING])
    assert good > 0.6 and bad < 0.3


def test_it_learns_from_what_a_page_calls_itself_though_the_link_said_nothing() -> None:
    learner = LinkLearner()
    for _ in range(20):
        learner.learn(link("more"), NOTHING, 0.9, title_features("Roses", ""))
        learner.learn(link("more"), NOTHING, 0.05, title_features("Lathes", ""))
    good, bad = learner.expect([link("roses"), link("lathes")], [NOTHING, NOTHING])
    assert good > bad + 0.2


def test_links_are_expected_alike_one_by_one_and_together() -> None:
    learner = LinkLearner()
    learner.learn(link("roses"), NOTHING, 0.9)
    links = [link("roses"), b"", link("lathes")]
    together = learner.expect(links, [NOTHING] * 3)
    alone = [learner.expect([each], [NOTHING])[0] for each in links]
    assert together == pytest.approx(alone, abs=1e-6)
    assert learner.expect([], []) == []


def test_what_is_unknown_of_a_host_is_what_is_known_of_the_crawl() -> None:
    history = History()
    assert history.of("example.org", b"1") == (history.mean, pytest.approx(0.2))


def test_a_folder_is_known_by_its_own_pages() -> None:
    history = History()
    for score in (0.9, 0.9, 0.9):
        history.add("example.org", b"good", score)
        history.add("example.org", b"poor", 0.05)
    assert history.of("example.org", b"good")[1] > 0.6 > 0.2 > history.of("example.org", b"poor")[1]


def test_pages_under_way_keep_an_unknown_folder_in_doubt() -> None:
    history = History()
    history.add("example.org", b"f", 0.9)
    sure = history.of("example.org", b"f")[1]
    history.begin(b"f")
    assert history.of("example.org", b"f")[1] < sure
    history.end(b"f")
    assert history.of("example.org", b"f")[1] == sure
