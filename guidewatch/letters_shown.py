"""How `guidewatch dlq` shows dead letters to people: addresses defanged, never a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from guidewatch import output

if TYPE_CHECKING:
    from consumers.dead_letter_topics import Letter
    from consumers.settling_letters import Choice


def described(letter: Letter) -> dict[str, Any]:
    """Return what people may see of a letter, as JSON."""
    from consumers.letter_facts import without_preview
    from dashboards.defang import defang, defang_host

    facts = letter.facts
    return {
        "id": letter.id,
        "at": facts.at,
        "stage": facts.stage,
        "error": facts.error,
        "why": without_preview(facts.message),
        "origin": f"{facts.topic}/{facts.partition}/{facts.offset}",
        "page_id": letter.page_id,
        "url": defang(letter.url),
        "host": defang_host(letter.host),
        "size_bytes": letter.size_bytes,
        "replays": letter.replays,
        "settled": letter.settled,
    }


def print_letters(letters: Sequence[Letter]) -> None:
    """Print letters as a table."""
    from consumers.letter_facts import without_preview
    from dashboards.defang import defang

    lines = []
    for letter in letters:
        became = f" ({letter.settled.settled} by {letter.settled.by})" if letter.settled is not None else ""
        why = f"{letter.facts.error}: {without_preview(letter.facts.message)[:120]}{became}"
        page = defang(letter.url) or letter.page_id
        lines.append(
            [letter.id, f"{letter.facts.at:%Y-%m-%d %H:%M:%S}", letter.facts.stage, str(letter.replays), why, page]
        )
    if lines:
        output.rows("Dead letters", ["id", "at", "stage", "replays", "why", "page"], lines)
    else:
        output.say("No dead letters.")


def flat(facts: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the facts in one level, without those that are empty."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name} ")
        elif value not in (None, ""):
            found[f"{prefix}{name}"] = value
    return found


def tell_replayed(choice: Choice, done: int, chosen: int, *, as_json: bool) -> None:
    """Say what was sent back, and what was not and why."""
    passed_over = [letter.id for letter in choice.given_up]
    settled = [letter.id for letter in choice.settled]
    if as_json:
        output.emit({"replayed": done, "passed_over": passed_over, "settled_before": settled})
    output.say(f"Sent back: {done:,}")
    if passed_over:
        output.say(
            f"Passed over, having come back too often: {len(passed_over):,}; "
            "`dlq list` has them, name them with --force, or drop them"
        )
    for letter in choice.settled:
        if letter.settled is not None:
            output.say(f"{letter.id} was {letter.settled.settled} by {letter.settled.by} before")
    if len(choice.chosen) > chosen:
        output.say(f"Left by --limit: {len(choice.chosen) - chosen:,}")
