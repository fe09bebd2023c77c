from events import Topics


def test_topics_have_the_names_of_the_design():
    topics = Topics()
    assert [topics.crawl_requests, topics.pages_found, topics.pages_judged, topics.labels_recorded] == [
        "crawl.requests",
        "pages.found",
        "pages.judged",
        "labels.recorded",
    ]


def test_a_prefix_keeps_installations_apart():
    assert set(Topics("one").all()).isdisjoint(Topics("two").all())
    assert Topics("one").pages_found == "one.pages.found"


def test_every_topic_that_others_write_to_has_dead_letters():
    topics = Topics()
    names = topics.all()
    kept_by_spiders = {topics.crawls, topics.crawl_progress, topics.crawl_ended}
    assert kept_by_spiders < set(names)
    assert len(names) == 11
    others = {name for name in names if not name.endswith(".dlq")} - kept_by_spiders
    assert all(topics.dead_letters(name) in names for name in others)
