"""Turn the analysts' decisions into training passages."""

from __future__ import annotations

from pathlib import Path

from classifier.examples import Example
from classifier.taxonomy import LANGUAGES
from events import LabelRecorded, PoisonError, decode
from guidewatch.errors import UserMistakeError
from storage import Item, Store

_HARMLESS = ("lawful", "not_relevant")
_MAX_PASSAGES = 4


def examples_from_decisions(source: str, store: Store) -> list[Example]:
    """Return the passages of every decided item whose text is still there.

    Of an item of concern its deciding passages count; of a lawful or irrelevant one too, as what must not be
    flagged. ``unsure`` teaches nothing. The last decision on an item holds.

    Parameters
    ----------
    source
        ``store``, or the path of a file with one `LabelRecorded` a line.

    Raises
    ------
    UserMistakeError
        The file is missing or a line of it is not a label.
    """
    labels = list(store.decisions()) if source == "store" else _read(Path(source))
    last = {label.page_id: label for label in sorted(labels, key=lambda label: label.at)}
    return [example for label in last.values() if (item := store.item(label.page_id)) for example in _of(label, item)]


def _read(path: Path) -> list[LabelRecorded]:
    if not path.is_file():
        raise UserMistakeError(f"{path}: no such file; --labels takes `store` or a file of label events")
    labels = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                labels.append(decode(line, LabelRecorded))
            except PoisonError as error:
                raise UserMistakeError(f"{path}, line {number}: {error}") from error
    return labels


def _of(label: LabelRecorded, item: Item) -> list[Example]:
    if item.verdict.language not in LANGUAGES or label.decision not in ("of_concern", *_HARMLESS):
        return []
    concern = label.decision == "of_concern"
    likely = tuple(name for name, p in item.verdict.subjects.items() if p >= 0.5)
    promised = tuple(name for name, p in item.verdict.techniques.items() if p >= 0.5)
    return [
        Example(
            id=f"{label.id}-{number}",
            language=item.verdict.language,
            group=f"decision-{item.content_id}",
            register="decision",
            text=item.text[passage.start : passage.end],
            title=item.title,
            of_concern=concern,
            guide=concern or (passage.form or 0.0) >= 0.5,
            subjects=label.subjects or likely,
            techniques=(label.techniques or promised) if concern else (),
            method=None,
            context=None if concern else label.context or "other",
        )
        for number, passage in enumerate(item.verdict.passages[:_MAX_PASSAGES])
        if item.text[passage.start : passage.end].strip()
    ]
