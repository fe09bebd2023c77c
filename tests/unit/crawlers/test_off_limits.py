from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.guard.bare import bare_url, without_user_info
from crawlers.guard.off_limits import OffLimits, OffLimitsError, parse_off_limits, read_off_limits

LIST = """\
# a comment
never.example
10.1.2.3:8080
bücher.example  # and its subdomains

https://shop.example/cart*
forum.example/*/members
*.example/*/login*
[2001:db8::1]
"""


@pytest.mark.parametrize(
    "url",
    [
        "http://never.example/",
        "https://www.never.example/a?b=c",
        "https://NEVER.example.:8443/",
        "https://user@never.example/",
        "http://10.1.2.3:8080/x",
        "http://xn--bcher-kva.example/",
        "http://www.bücher.example/",
        "https://shop.example/cart",
        "https://shop.example/c%61rt/1",
        "https://shop.example/x/../cart/1",
        "http://forum.example/a/members",
        "https://forum.example/a/b/members",
        "https://any.example/de/login?next=/",
        "http://[2001:db8::1]/",
        "http://[2001:0db8:0:0::1]/",
    ],
)
def test_what_is_listed_is_forbidden_however_it_is_spelt(url: str) -> None:
    assert parse_off_limits(LIST).forbids(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://nevermind.example/",
        "http://notnever.example/",
        "http://never.example.org/",
        "http://10.1.2.3/",
        "http://shop.example/cart",
        "https://shop.example/card",
        "http://forum.example/a/members/1",
        "http://forum.example/members",
        "http://other.org/login",
        "no url",
    ],
)
def test_what_is_not_listed_is_allowed(url: str) -> None:
    assert not parse_off_limits(LIST).forbids(url)


def test_an_empty_list_forbids_nothing() -> None:
    assert parse_off_limits("") == OffLimits()
    assert not OffLimits().forbids("http://never.example/")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("two words", "not a host name"),
        ("never.example:port", "not a host name"),
        ("ftp://never.example/*", "for http or https"),
        ("https://a.example/a b*", "no spaces"),
        ("*", "forbid everything"),
        ("*://*/*", "forbid everything"),
    ],
)
def test_a_bad_line_is_named_by_its_number(line: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"# first\ngood.example\n{line}\n")
    with pytest.raises(OffLimitsError, match=why) as caught:
        read_off_limits(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert "\n" not in str(caught.value)


def test_a_list_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\xfe\0")
    for path in (tmp_path / "missing", tmp_path / "noise", tmp_path):
        with pytest.raises(OffLimitsError) as caught:
            read_off_limits(path)
        assert "\n" not in str(caught.value)


@given(st.text(alphabet="ab*/.", max_size=30), st.text(alphabet="ab/.?", max_size=200))
def test_patterns_are_matched_without_raising(line: str, path: str) -> None:
    try:
        listed = parse_off_limits(line)
    except OffLimitsError:
        return
    listed.forbids(f"http://a.b/{path}")


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("http://user:secret@a.example/x", "http://a.example/x"),
        ("http://a@b@c.example/", "http://c.example/"),
        ("http://a.example/@user?x=b@c", "http://a.example/@user?x=b@c"),
        ("http://a.example?x=@b", "http://a.example?x=@b"),
        ("http://a.example/x;jsessionid=1F?a=1", "http://a.example/x?a=1"),
        ("http://a.example/x;JSESSIONID=1F.node/y", "http://a.example/x/y"),
        ("http://a.example/x;v=1", "http://a.example/x;v=1"),
        ("http://a.example/(S(lit3py55t21z5v55vlm25s55))/page", "http://a.example/page"),
        ("http://a.example/(S(x))/page", "http://a.example/(S(x))/page"),
        ("http://a.example/?u=/;jsessionid=1", "http://a.example/?u=/;jsessionid=1"),
    ],
)
def test_user_info_and_session_ids_are_taken_off(url: str, bare: str) -> None:
    assert bare_url(url) == bare
    assert bare_url(bare) == bare


@given(st.text(max_size=60))
def test_only_the_authority_is_shortened(text: str) -> None:
    assert without_user_info(f"http://a.example/{text}") == f"http://a.example/{text}"
