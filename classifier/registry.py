"""Save and load a model folder: ``model.skops`` (allow-listed types, no pickle), ``meta.json``, ``MODEL_CARD.md``."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io

from classifier import encoders, heads, screen
from classifier.heads import Heads
from classifier.model import Classifier
from classifier.page_score import PageScore
from classifier.screen import Screen

SHIPPED = Path(__file__).parent / "shipped"
FORMAT = 1
TRUSTED: tuple[str, ...] = ()
"""Types beyond the defaults of skops that a model may hold: none."""
PARTS = (*screen.PARTS, "page", "clear")


class ModelError(ValueError):
    """A model folder is missing, damaged, of another format or not to be trusted; the message says which."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What training makes."""

    estimators: dict[str, Any]
    """The heads' estimators, and the others by `PARTS`: the screen's, and the page score's two."""
    meta: dict[str, Any]
    """``encoder``, ``threshold``, ``version``, ``metrics``, ``data_sha256``, ``versions`` …"""


def save(fitted: Fitted, folder: Path) -> None:
    """Write a model folder; the card is generated from the metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    data = skops.io.dumps(_plain(fitted.estimators), compression=zipfile.ZIP_DEFLATED)
    meta = {"format": FORMAT, **fitted.meta, "model_sha256": hashlib.sha256(data).hexdigest()}
    (folder / "model.skops").write_bytes(data)
    (folder / "meta.json").write_text(json.dumps(meta, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    (folder / "MODEL_CARD.md").write_text(card(meta), "utf-8")


def load(folder: Path | None = None, *, encoder: encoders.Encoder | None = None) -> Classifier:
    """Return the classifier in ``folder`` (default: the shipped one).

    Parameters
    ----------
    encoder
        An encoder to use in place of the one that ``meta.json`` names (it must be of the same kind).

    Raises
    ------
    ModelError
        The folder is not a model folder, is damaged, or holds types that are not allowed.
    """
    folder = folder or SHIPPED
    meta = read_meta(folder)
    try:
        data = (folder / "model.skops").read_bytes()
    except OSError as error:
        raise ModelError(f"{folder}: model.skops cannot be read ({error.strerror})") from error
    if hashlib.sha256(data).hexdigest() != meta.get("model_sha256"):
        raise ModelError(f"{folder}: model.skops is damaged: its SHA-256 is not the one in meta.json")
    try:
        estimators = skops.io.loads(data, trusted=list(TRUSTED))
    except Exception as error:  # skops raises many kinds; none may pass
        raise ModelError(f"{folder}: model.skops cannot be loaded: {error}") from error
    held = set(estimators) if isinstance(estimators, dict) else set()
    if missing := {*heads.parts(), *PARTS} - held:
        raise ModelError(f"{folder}: not made for this version (missing: {', '.join(sorted(missing))}): train it anew")
    try:
        return Classifier(
            encoder=encoder or encoders.make(meta["encoder"]),
            screen=Screen({name: estimators[name] for name in screen.PARTS}),
            heads=Heads({name: part for name, part in estimators.items() if name not in PARTS}),
            page_score=PageScore(estimators["page"], estimators["clear"]),
            threshold=float(meta["threshold"]),
            worth_a_look=float(meta["worth_a_look"]),
            version=str(meta["version"]),
        )
    except (KeyError, TypeError) as error:
        raise ModelError(f"{folder}: incomplete model: {error}") from error
    except encoders.EncoderError as error:
        raise ModelError(f"{folder}: {error}") from error


def read_meta(folder: Path) -> dict[str, Any]:
    """Return ``meta.json`` of a model folder, checked for its format.

    Raises
    ------
    ModelError
        There is none, or it is not a model of this format.
    """
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} is not a model folder: it has no meta.json") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ModelError(f"{path}: not a model of format {FORMAT}")
    return meta


def card(meta: dict[str, Any]) -> str:
    """Return the model card in Markdown."""
    lines = [
        f"# Model card: guidewatch {meta['version']}",
        "",
        "**Use**: flag web pages that offer how-to on making, assembling, converting, reactivating or repairing",
        "firearms, their parts or ammunition, for review by an analyst. It decides nothing: a person does.",
        "**Not for**: judging persons, private messages or lawful speech; languages other than the six of the UN.",
        "",
        "| | |",
        "| --- | --- |",
        f"| encoder | `{meta['encoder']}` |",
        f"| threshold | {meta['threshold']} |",
        f"| worth a look from | {meta['worth_a_look']} |",
        f"| training passages | {meta['examples']} |",
        f"| training data SHA-256 | `{meta['data_sha256']}` |",
        *(f"| {name} | {version} |" for name, version in sorted(meta["versions"].items())),
        "",
        "## On pages composed of held-out passages (five folds, grouped by theme)",
        "",
        "| measure | value |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in meta["metrics"].items()),
        "",
    ]
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    """Return estimators with nothing that depends on the run (such as NumPy scalars of parameters)."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in sorted(value.items())}
    if isinstance(value, np.generic):
        return value.item()
    return value
