from __future__ import annotations

import re

import pytest

from dashboards.defang import defang, defang_host


@pytest.mark.parametrize(
    ("url", "defanged"),
    [
        ("https://example.org/a.html?b=1", "hxxps://example[.]org/a.html?b=1"),
        ("http://a.b.example.org:8080/", "hxxp://a[.]b[.]example[.]org:8080/"),
        ("HTTPS://Example.org", "HXXPS://Example[.]org"),
        ("https://archive.example/web/http://x.example/y", "hxxps://archive[.]example/web/hxxp://x[.]example/y"),
        ("https://a.example/?u=https%3A%2F%2Fb.example%2Fc", "hxxps://a[.]example/?u=hxxps%3A%2F%2Fb[.]example%2Fc"),
        ("https://a.example/\u202egnp", "hxxps://a[.]example/%E2%80%AEgnp"),
    ],
)
def test_urls_are_defanged(url: str, defanged: str) -> None:
    assert defang(url) == defanged


@pytest.mark.parametrize("url", ["https://a.example/http://b.example/", "http://www.a.example", "http://[::1]/x"])
def test_nothing_that_a_program_would_link_remains(url: str) -> None:
    assert not re.search(r"https?:|www\.", defang(url))


def test_hosts_are_defanged_once() -> None:
    assert defang_host("a.example.org:8443") == "a[.]example[.]org:8443"
    assert defang(defang("https://a.example/")) == "hxxps://a[.]example/"
