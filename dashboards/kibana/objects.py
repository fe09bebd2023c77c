"""The file that ``Saved objects › Import`` takes: ``guidewatch.ndjson``.

Run ``python -m dashboards.kibana`` to write it anew after a change here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboards import REVIEW_PORT
from dashboards.kibana.panels import DATA_VIEW_ID, Panel, bars, count, latest, over_time, table, top

REVIEW_URL = f"http://127.0.0.1:{REVIEW_PORT}"
FILE = Path(__file__).with_name("guidewatch.ndjson")
DASHBOARD_ID = "guidewatch-overview"
VERSION = "8.19.0"

_LABELS = {
    "guidewatch.page_id": "Review",
    "guidewatch.cluster.id": "Cluster",
    "guidewatch.cluster.since": "Text known since",
    "guidewatch.language": "Language",
    "guidewatch.subject": "Subject",
    "guidewatch.technique": "Technique",
    "guidewatch.decision": "Decision",
    "guidewatch.score": "Score",
    "guidewatch.host": "Host",
}

_HIDDEN = ("guidewatch.text", "guidewatch.search.*", "guidewatch.cluster.minhash")
"""Fields that Discover does not show."""


def saved_objects(review_url: str = REVIEW_URL, index: str = "guidewatch-items") -> bytes:
    """Return data view, panels and dashboard, one JSON object a line.

    Parameters
    ----------
    review_url
        Where analysts reach the review app; the page id in the table links there.
    index
        Alias of the items.
    """
    panels = _panels()
    objects = [_data_view(review_url.rstrip("/"), index), *(panel for panel, _ in panels), _dashboard(panels)]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()


def _panels() -> list[tuple[Panel, dict[str, int]]]:
    """Return the panels and where they stand on a grid 48 wide."""
    columns = {
        "page": top("guidewatch.page_id", "Review", 200),
        "score": latest("guidewatch.score", "Score", "number"),
        "language": latest("guidewatch.language", "Language", "string"),
        "technique": latest("guidewatch.technique", "Technique", "string"),
        "decision": latest("guidewatch.decision", "Decision", "string"),
        "count": count(),
    }
    return [
        (
            bars("guidewatch-over-time", "Items over time", over_time("@timestamp", "First seen")),
            {"x": 0, "y": 0, "w": 48, "h": 11},
        ),
        (
            bars("guidewatch-languages", "Items by language", top("guidewatch.language", "Language", 10), lying=True),
            {"x": 0, "y": 11, "w": 16, "h": 13},
        ),
        (
            bars(
                "guidewatch-techniques", "Items by technique", top("guidewatch.technique", "Technique", 10), lying=True
            ),
            {"x": 16, "y": 11, "w": 16, "h": 13},
        ),
        (
            bars("guidewatch-decisions", "Items by decision", top("guidewatch.decision", "Decision", 10), lying=True),
            {"x": 32, "y": 11, "w": 16, "h": 13},
        ),
        (
            table("guidewatch-items-table", "Items, with a link to their review", columns),
            {"x": 0, "y": 24, "w": 48, "h": 20},
        ),
    ]


def _data_view(review_url: str, index: str) -> dict[str, Any]:
    link = {
        "id": "url",
        "params": {
            "type": "a",
            "urlTemplate": f"{review_url}/items/{{{{value}}}}?decision=all",
            "labelTemplate": "review",
            "openLinkInCurrentTab": False,
        },
    }
    return {
        "type": "index-pattern",
        "id": DATA_VIEW_ID,
        "attributes": {
            "title": index,
            "name": "guidewatch items",
            "timeFieldName": "@timestamp",
            "fieldAttrs": json.dumps({field: {"customLabel": label} for field, label in _LABELS.items()}),
            "fieldFormatMap": json.dumps(
                {"guidewatch.page_id": link, "guidewatch.score": {"id": "number", "params": {"pattern": "0.00"}}}
            ),
            "fields": "[]",
            "runtimeFieldMap": "{}",
            "sourceFilters": json.dumps([{"value": field} for field in _HIDDEN]),
        },
        "references": [],
        "coreMigrationVersion": "8.8.0",
        "typeMigrationVersion": "8.0.0",
        "managed": False,
    }


def _dashboard(panels: list[tuple[Panel, dict[str, int]]]) -> dict[str, Any]:
    placed, references = [], []
    for number, (panel, grid) in enumerate(panels, 1):
        index = str(number)
        placed.append(
            {
                "version": VERSION,
                "type": "lens",
                "gridData": {**grid, "i": index},
                "panelIndex": index,
                "embeddableConfig": {"enhancements": {}},
                "panelRefName": f"panel_{index}",
            }
        )
        references.append({"type": "lens", "id": panel["id"], "name": f"{index}:panel_{index}"})
    search = {"query": {"language": "kuery", "query": ""}, "filter": []}
    return {
        "type": "dashboard",
        "id": DASHBOARD_ID,
        "attributes": {
            "title": "guidewatch: items",
            "description": "Flagged pages over time, by language, technique and decision, each linked to its review",
            "panelsJSON": json.dumps(placed),
            "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False, "syncColors": False}),
            "timeRestore": True,
            "timeFrom": "now-90d",
            "timeTo": "now",
            "version": 1,
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(search)},
        },
        "references": references,
        "coreMigrationVersion": "8.8.0",
        "typeMigrationVersion": "8.9.0",
        "managed": False,
    }
