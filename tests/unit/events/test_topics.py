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


def test_every_topic_has_dead_letters():
    names = Topics().all()
    assert len(names) == 8
    assert all(f"{name}.dlq" in names for name in names if not name.endswith(".dlq"))
