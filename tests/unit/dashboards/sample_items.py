"""Hollow items in six languages: form and topic only, nothing that teaches anything."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from events import Evidence, LabelRecorded, Nearest, PageJudged, Passage, Verdict, content_id, host_key, page_id
from storage.port import Store

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MODEL = "2026.11-1a2b3c4d"

TEXTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        (
            "A page about home-made things, part one",
            "Welcome back to the workshop diary. This page has the form of a guide and says nothing at all.",
            "You will need: see the list (not reproduced). Do the first stage as in the picture, fit it, check it, "
            "do it again. The next chapter deals with the rest.",
        ),
        (
            "Thread: has anybody finished the project from the old board?",
            "Reader letters and replies, slightly edited. A topic and nothing else.",
            "Reply: begin with stage one as in drawing two (not reproduced), then ask here when it does not fit.",
        ),
        (
            "Notes from the bench: table of contents",
            "A table of contents to a text that does not exist. Chapter titles only.",
            "Chapter one: before you begin. Chapter two: the first stage. Chapter three: again.",
        ),
    ),
    "fr": (
        (
            "Une page sur le bricolage, première partie",
            "Bienvenue dans le carnet de l’atelier. Cette page a la forme d’un guide et ne dit rien du tout.",
            "Il vous faut : voir la liste (non reproduite). Faites la première étape comme sur l’image, vérifiez, "
            "recommencez. Le chapitre suivant traite du reste.",
        ),
        (
            "Fil : quelqu’un a-t-il terminé le projet de l’ancien forum ?",
            "Courrier des lecteurs et réponses. Un sujet, rien de plus.",
            "Réponse : commencez par l’étape une du dessin deux (non reproduit), puis demandez ici.",
        ),
    ),
    "es": (
        (
            "Una página sobre cosas hechas en casa",
            "Bienvenidos al diario del taller. Esta página tiene forma de guía y no dice nada.",
            "Hará falta: véase la lista (no reproducida). Haga la primera etapa como en la imagen, compruebe, "
            "repita. El capítulo siguiente trata del resto.",
        ),
        (
            "Hilo: ¿alguien terminó el proyecto del foro antiguo?",
            "Cartas de lectores y respuestas. Un tema y nada más.",
            "Respuesta: empiece por la etapa una del dibujo dos (no reproducido) y pregunte aquí.",
        ),
    ),
    "ru": (
        (
            "Страница о самодельных вещах, часть первая",
            "Добро пожаловать в дневник мастерской. У этой страницы форма руководства, и она ничего не говорит.",
            "Понадобится: смотрите список (не приводится). Сделайте первый этап как на картинке, проверьте, "
            "повторите. Следующая глава — об остальном.",
        ),
        (
            "Тема: кто-нибудь закончил проект со старого форума?",
            "Письма читателей и ответы. Тема, и больше ничего.",
            "Ответ: начните с этапа один по рисунку два (не приводится), потом спросите здесь.",
        ),
    ),
    "zh": (
        (
            "关于自制物品的一页，第一部分",
            "欢迎回到工作坊日记。这一页有指南的形式，却什么也没有说。",
            "您需要：见清单（未转载）。按图完成第一阶段，检查，再做一遍。下一章讲其余部分。",
        ),
        (
            "帖子：有人完成旧论坛的那个项目吗？",
            "读者来信与回复。只有题目，没有别的。",
            "回复：先按图二（未转载）做第一阶段，然后在这里提问。",
        ),
    ),
    "ar": (
        (
            "صفحة عن أشياء مصنوعة في البيت، الجزء الأول",
            "أهلا بكم في دفتر الورشة. لهذه الصفحة شكل الدليل ولا تقول شيئا.",
            "ستحتاج إلى: انظر القائمة (غير منقولة). نفّذ المرحلة الأولى كما في الصورة، ثم تحقق، ثم أعد. "
            "الفصل التالي عن الباقي.",
        ),
        (
            "موضوع: هل أنهى أحد المشروع من المنتدى القديم؟",
            "رسائل القراء والردود. موضوع ولا شيء غيره.",
            "الرد: ابدأ بالمرحلة الأولى كما في الرسم الثاني (غير منقول) ثم اسأل هنا.",
        ),
    ),
}
WORDS = {
    "en": ("stage", "workshop", "chapter", "reader"),
    "fr": ("étape", "atelier", "chapitre", "lecteurs"),
    "es": ("etapa", "taller", "capítulo", "lectores"),
    "ru": ("этап", "мастерской", "глава", "читателей"),
    "zh": ("阶段", "工作坊", "下一章", "读者"),
    "ar": ("المرحلة", "الورشة", "الفصل", "القراء"),
}
SUBJECTS = ("firearm", "part_or_component", "ammunition")
TECHNIQUES = ("manufacture", "assembly", "conversion", "reactivation", "repair", "ammunition_making")
HOSTS = ("board.example.org", "atelier.example.net", "notes.example.com", "forum.example.edu:8443")


def judged(url: str = "https://board.example.org/a", **changes: Any) -> PageJudged:
    """Return a flagged page; ``changes`` replace fields of the event, and of its verdict."""
    text = changes.pop("text", "Nothing is said here.\nDo the first stage as in the picture.")
    first_line_end = text.find("\n") + 1
    known = {name: changes.pop(name) for name in list(changes) if name in Verdict.__struct_fields__}
    passage = Passage(start=first_line_end, end=len(text), score=0.93, form=0.9, subject=0.8, words=(("stage", 0.8),))
    verdict = Verdict(
        **{
            "flagged": True,
            "score": 0.91,
            "threshold": 0.62,
            "language": "en",
            "outcome": "flagged",
            "model": MODEL,
            "subjects": {"firearm": 0.92, "ammunition": 0.08},
            "techniques": {"assembly": 0.81},
            "methods": {"workshop": 0.55},
            "passages": (passage,),
            "reason": "One passage has the form of a guide and is about firearms.",
            **known,
        }
    )
    fields: dict[str, Any] = {
        "id": hashlib.sha256(url.encode()).hexdigest()[:32],
        "at": changes.get("fetched_at", NOW),
        "page_id": page_id(url),
        "url": url,
        "host": host_key(url),
        "crawl_id": "crawl-1",
        "content_id": content_id(text),
        "fetched_at": NOW,
        "title": "A page about something",
        "text": text,
        "evidence": Evidence(warc="2026-11-20-000.warc.gz", offset=4096, sha256="ab" * 32),
        "verdict": verdict,
    }
    return PageJudged(**(fields | changes))


def near(number: int = 0, **changes: Any) -> PageJudged:
    """Return a page that is not flagged and worth a look; the higher the number, the lower the score."""
    language = tuple(TEXTS)[number % 6]
    host = HOSTS[number % 4]
    parents = (None, f"https://{host}/", f"https://{HOSTS[(number + 1) % 4]}/links")
    fields: dict[str, Any] = {
        "title": "",
        "text": "",
        "content_id": content_id(f"near {number}"),
        "flagged": False,
        "outcome": "not_flagged",
        "worth_a_look": True,
        "score": round(max(0.3, 0.61 - number * 0.007), 3),
        "language": language,
        "passages": (),
        "depth": number % 3,
        "parent_url": parents[number % 3],
    }
    return judged(changes.pop("url", f"https://{host}/{language}/near/{number}"), **(fields | changes))


def label(event: PageJudged, decision: str = "of_concern", **changes: Any) -> LabelRecorded:
    """Return a decision on a page."""
    fields = {
        "id": hashlib.sha256(f"{event.page_id} {decision}".encode()).hexdigest()[:32],
        "at": event.fetched_at + timedelta(days=1),
        "page_id": event.page_id,
        "content_id": event.content_id,
        "decision": decision,
        "analyst": "amina",
    }
    return msgspec.convert(fields | changes, LabelRecorded)


def sample(count: int = 60) -> list[PageJudged]:
    """Return items in six languages over ten weeks, the same ones every time."""
    return [_one(number) for number in range(count)]


def fill(store: Store, count: int = 60, decided: int = 14) -> list[PageJudged]:
    """Write the sample to a store, with decisions on some, and return it."""
    events = sample(count)
    store.upsert(events)
    decisions = ("of_concern", "lawful", "of_concern", "not_relevant", "unsure")
    store.record_decisions(
        [
            label(event, decisions[n % 5], reason="Form of a guide, no doubt.")
            for n, event in enumerate(events[:decided])
        ]
    )
    return events


def _one(number: int) -> PageJudged:
    language = tuple(TEXTS)[number % 6]
    title, opening, guide = TEXTS[language][(number // 6) % len(TEXTS[language])]
    closing = TEXTS[language][0][1]
    serial = "" if number < 12 or number >= 48 else f"\n{language}-{number}"
    text = "\n".join([opening, guide, closing, guide, opening]) + serial
    start = len(opening) + 1
    second = start + len(guide) + 1 + len(closing) + 1
    first, *others = WORDS[language]
    passages = (
        Passage(
            start=start,
            end=start + len(guide),
            score=0.94,
            form=0.97,
            subject=0.88,
            words=((first, 1.42), (others[0], 0.61)),
            contexts={"benign_howto": 0.21, "museum_history": 0.08, "news": 0.03},
            nearest=(
                Nearest(id=f"{language}-0123", similarity=0.82, of_concern=True),
                Nearest(id=f"{language}-0417", similarity=0.74, of_concern=True),
                Nearest(id=f"{language}-1002", similarity=0.58, of_concern=False),
            ),
        ),
        Passage(
            start=second,
            end=second + len(guide),
            score=0.41,
            form=0.62,
            subject=0.37,
            words=((others[1], 0.33), (others[2], -0.58)),
        ),
    )
    score = round(0.99 - (number * 37 % 60) / 170, 3)
    return judged(
        f"https://{HOSTS[number % 4]}/{language}/pages/{number}?view=full",
        title=title,
        text=text,
        language=language,
        score=score,
        passages=passages,
        subjects={name: _odds(number + shift) for shift, name in enumerate(SUBJECTS)},
        techniques={name: _odds(number * 5 + shift) for shift, name in enumerate(TECHNIQUES)},
        methods={"workshop": 0.71, "kit": 0.12},
        context="museum_history" if number % 9 == 4 else None,
        fetched_at=NOW - timedelta(days=(number * number * 7) % 68, hours=number % 24),
        reason="Two passages have the form of a guide and are about firearms; no lawful context was recognised.",
    )


def _odds(number: int) -> float:
    return (0.94, 0.12, 0.07, 0.63, 0.21, 0.04, 0.33)[number % 7]
