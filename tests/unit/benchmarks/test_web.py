from __future__ import annotations

from random import Random

from crawlers.extraction import extract_html
from tests.benchmarks.web import LANGUAGES, Place, Web

WEB = Web(seed=7, articles=12)
ORIGINS = [f"http://127.0.1.{host + 1}:8000" for host in range(WEB.hosts)]


def test_a_web_follows_from_its_seed() -> None:
    place = Place(3, 2, 5)
    assert WEB.page(place, ORIGINS) == Web(seed=7, articles=12).page(place, ORIGINS)
    assert WEB.page(place, ORIGINS) != Web(seed=8, articles=12).page(place, ORIGINS)


def test_one_article_in_twenty_is_of_concern_and_no_hub_is() -> None:
    articles = [place for place in WEB.places() if place.section >= 0 and place.number >= 0]
    assert 0.03 < sum(map(WEB.is_of_concern, articles)) / len(articles) < 0.07
    assert not any(WEB.is_of_concern(place) for place in WEB.places() if place.section < 0 or place.number < 0)


def test_every_page_has_a_url_and_a_text_of_its_own() -> None:
    places = [place for place in WEB.places() if place.host < 6]
    assert len({(place.host, WEB.path(place)) for place in places}) == len(places)
    assert len({extract_html(WEB.page(place, ORIGINS)).text for place in places[::10]}) == len(places[::10])


def test_every_link_leads_to_a_page_and_there_are_about_forty() -> None:
    known = {ORIGINS[place.host] + WEB.path(place) for place in WEB.places()}
    found = extract_html(WEB.page(Place(1, 0, 5), ORIGINS), url=ORIGINS[1] + "/").links
    assert 30 <= len(found) <= 40
    assert set(found) <= known


def test_some_anchors_lie_both_ways() -> None:
    rng = Random(1)
    for concern in (True, False):
        titles = {
            passage.title for (_, lies), passages in WEB.passages.items() if lies != concern for passage in passages
        }
        places = [place for place in WEB.places() if place.number >= 0 <= place.section]
        said = [WEB.anchor(place, rng)[0] for place in places if WEB.is_of_concern(place) == concern]
        assert 0.02 < sum(words in titles for words in said) / len(said) < 0.25


def test_seeds_are_a_home_page_and_two_reported_pages_a_language() -> None:
    seeds = WEB.seeds()
    assert sorted(map(WEB.language, (place.host for place in seeds))) == sorted(3 * LANGUAGES)
    assert sum(map(WEB.is_of_concern, seeds)) == 2 * len(LANGUAGES)
