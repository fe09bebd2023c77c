from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.recheck import Finding, finding_of, found_dns, found_elsewhere, is_parked
from events import PageFound, UrlEnded, content_id, page_id

AT = datetime(2026, 11, 24, tzinfo=UTC)
URL = "https://a.example/page"
KNOWN = content_id("The text that is known.")


def page(text: str, title: str = "A page") -> PageFound:
    return PageFound(
        id="1",
        at=AT,
        page_id=page_id(URL),
        url=URL,
        host="a.example",
        crawl_id="c",
        content_id=content_id(text),
        fetched_at=AT,
        title=title,
        text=text,
    )


def ended(outcome: Any, reason: str, **fields: Any) -> UrlEnded:
    return UrlEnded(
        id="1", at=AT, page_id=page_id(URL), url=URL, host="a.example", crawl_id="c", outcome=outcome, reason=reason,
        **fields,
    )  # fmt: skip


def test_the_same_text_is_online_and_another_one_changed() -> None:
    assert finding_of(page("The text that is known."), KNOWN) == Finding("online", "", 200, KNOWN)
    assert finding_of(page("Another."), KNOWN) == Finding("changed", "", 200, content_id("Another."))
    assert finding_of(ended("duplicate", "same text", status=200, content_id=KNOWN), KNOWN) == Finding(
        "online", "", 200, KNOWN
    )


@pytest.mark.parametrize(
    ("end", "state"),
    [
        *((ended("failed", f"status {status}", status=status), "gone") for status in (404, 410, 451)),
        *((ended("failed", f"status {status}", status=status), "refused") for status in (401, 403)),
        *((ended("failed", f"status {status}", status=status), "unreachable") for status in (400, 429, 500, 503)),
        *(
            (ended("failed", reason), "unreachable")
            for reason in ("timeout", "connection refused", "tls", "dns", "too many redirects", "error: KeyError")
        ),
        (ended("failed", "too large"), "changed"),
        (ended("unsupported", "media type image/png", status=200), "changed"),
        (ended("refused", "robots"), "refused"),
        (ended("refused", "guard: private address"), "refused"),
    ],
)
def test_every_end_has_its_state(end: UrlEnded, state: str) -> None:
    found = finding_of(end, KNOWN)
    assert found is not None
    assert (found.state, found.reason, found.status) == (state, end.reason, end.status)


@pytest.mark.parametrize(
    "end",
    [ended("refused", "budget: pages"), ended("duplicate", "redirect", duplicate_of=page_id("https://b.example/"))],
)
def test_what_was_not_asked_or_leads_elsewhere_says_nothing(end: UrlEnded) -> None:
    assert finding_of(end, KNOWN) is None


def test_what_was_not_modified_is_what_it_was() -> None:
    parked = Finding("gone", "parked", 200, content_id("for sale"))
    same = ended("duplicate", "not modified", status=304, content_id=parked.content_id)
    assert finding_of(same, KNOWN, parked) == parked._replace(status=304)
    assert finding_of(same, KNOWN, None) == Finding("changed", "", 304, parked.content_id)
    known = ended("duplicate", "not modified", status=304, content_id=KNOWN)
    assert finding_of(known, KNOWN, Finding("unreachable", "timeout")) == Finding("online", "", 304, KNOWN)


def test_the_copy_of_a_parked_page_is_parked() -> None:
    text = content_id("for sale")
    copy = ended("duplicate", "same text", status=200, content_id=text)
    assert finding_of(copy, KNOWN, None, Finding("gone", "parked", 200, text)) == Finding("gone", "parked", 200, text)
    assert finding_of(copy, KNOWN, None, Finding("online", "", 200, text)) == Finding("changed", "", 200, text)
    assert finding_of(copy, KNOWN, None, Finding("gone", "status 404", 404)) == Finding("changed", "", 200, text)


def test_a_redirect_says_what_was_found_at_its_end() -> None:
    assert found_elsewhere(Finding("online", "", 200, KNOWN)) == Finding("online", "moved", 200, KNOWN)
    assert found_elsewhere(Finding("changed", "", 200)) == Finding("changed", "redirect", 200)
    assert found_elsewhere(Finding("gone", "parked", 200)) == Finding("gone", "parked", 200)
    assert found_elsewhere(None) is None


def test_a_name_that_does_not_resolve_is_gone_only_where_others_answer() -> None:
    assert found_dns(others_answer=True) == Finding("gone", "dns")
    assert found_dns(others_answer=False) == Finding("unreachable", "dns")


WORDS = "Find related links about travel, insurance, music and more on these pages today. " * 4
PARKED = [
    ("a.example", f"This domain is for sale. Buy this domain now. {WORDS}"),
    ("a.example is for sale", "The domain name a.example may be for sale."),
    ("Domain expired", f"The domain a.example has expired. {WORDS}"),
    ("", "This domain is parked."),
    ("Account Suspended", f"This account has been suspended. Contact your hosting provider. {WORDS}"),
    ("a.example", f"Ce nom de domaine est à vendre. Achetez ce domaine. {WORDS}"),
    ("Ce domaine est expiré", "Renouvelez-le auprès de votre bureau d’enregistrement."),
    ("a.example", f"Este dominio está en venta. Comprar este dominio. {WORDS}"),
    ("a.example", f"El dominio a.example está a la venta. {WORDS}"),
    ("Домен a.example продаётся", f"Купить этот домен можно здесь. {WORDS}"),
    ("a.example", "Срок регистрации домена a.example истёк."),
    ("域名出售", "此域名正在出售，欢迎购买此域名。"),
    ("a.example", f"該網域可轉讓，請聯絡我們。 {WORDS}a.example"),
    ("النطاق للبيع", "هذا النطاق معروض للبيع. يمكنك شراء هذا النطاق الآن."),
    ("a.example", f"انتهت صلاحية هذا الدومين a.example. {WORDS}"),
    ("a.example", f"Die Domain a.example steht zum Verkauf. {WORDS}"),
    ("Welcome to nginx!", "If you see this page, the web server is successfully installed and working."),
    ("Apache2 Ubuntu Default Page: It works", "This is the default welcome page."),
    ("IIS Windows Server", "Welcome Bienvenue"),
]
NOT_PARKED = [
    ("Domaine viticole à vendre", f"Le domaine est à vendre avec ses vignes et son musée. {WORDS}"),
    ("How domain names are sold", f"When a domain is for sale, its owner tells a registrar. {WORDS}"),
    ("Our move", f"Our old domain has expired, and you find the museum at its new address. {WORDS}"),
    ("Historia", f"El dominio colonial terminó en 1898, y el museo lo cuenta. {WORDS}"),
    ("Новости", f"В деревне продаётся дом, рядом с музеем. {WORDS}"),
    ("新闻", "本页介绍域名系统的历史和博物馆的开放时间。"),
    ("خبر", "هذه الصفحة عن تاريخ المتحف وأوقات الزيارة."),
    ("News", "The club’s membership for the year is for sale at the desk."),
    ("", ""),
    ("Nginx", "Welcome to our course on nginx and other servers."),
    ("A long page", "This domain is for sale. Buy this domain. " + "Many words of another kind. " * 200),
]


@pytest.mark.parametrize(("title", "text"), PARKED)
def test_a_parked_page_is_gone(title: str, text: str) -> None:
    assert is_parked(title, text, "www.a.example:8080")
    assert finding_of(page(text, title), KNOWN) == Finding("gone", "parked", 200, content_id(text))


@pytest.mark.parametrize(("title", "text"), NOT_PARKED)
def test_a_page_with_words_of_its_own_is_not_parked(title: str, text: str) -> None:
    assert not is_parked(title, text, "www.museum.example")
