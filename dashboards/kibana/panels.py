"""Lens panels, as Kibana 8.19 saves them."""

from __future__ import annotations

from typing import Any

DATA_VIEW_ID = "guidewatch-items"
LAYER = "layer"

Column = dict[str, Any]
Panel = dict[str, Any]


def count() -> Column:
    """Return a column that counts items."""
    return {
        "label": "Items",
        "customLabel": True,
        "dataType": "number",
        "operationType": "count",
        "isBucketed": False,
        "scale": "ratio",
        "sourceField": "___records___",
        "params": {"emptyAsNull": False},
    }


def over_time(field: str, name: str) -> Column:
    """Return a column of intervals, as long as the period that is shown asks for."""
    return {
        "label": name,
        "customLabel": True,
        "dataType": "date",
        "operationType": "date_histogram",
        "isBucketed": True,
        "scale": "interval",
        "sourceField": field,
        "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
    }


def top(field: str, name: str, size: int) -> Column:
    """Return a column of the most frequent values, most frequent first."""
    return {
        "label": name,
        "customLabel": True,
        "dataType": "string",
        "operationType": "terms",
        "isBucketed": True,
        "scale": "ordinal",
        "sourceField": field,
        "params": {
            "size": size,
            "orderBy": {"type": "column", "columnId": "count"},
            "orderDirection": "desc",
            "otherBucket": True,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
        },
    }


def latest(field: str, name: str, kind: str) -> Column:
    """Return a column with the value of the newest item in each row."""
    return {
        "label": name,
        "customLabel": True,
        "dataType": kind,
        "operationType": "last_value",
        "isBucketed": False,
        "scale": "ratio" if kind == "number" else "ordinal",
        "sourceField": field,
        "filter": {"query": f'"{field}": *', "language": "kuery"},
        "params": {"sortField": "@timestamp", "showArrayValues": True},
    }


def bars(panel_id: str, title: str, bucket: Column, *, lying: bool = False) -> Panel:
    """Return a bar chart of items by ``bucket``."""
    shape = "bar_horizontal" if lying else "bar"
    visualization = {
        "preferredSeriesType": shape,
        "legend": {"isVisible": False, "position": "right"},
        "valueLabels": "hide",
        "layers": [
            {
                "layerId": LAYER,
                "layerType": "data",
                "seriesType": shape,
                "xAccessor": "bucket",
                "accessors": ["count"],
            }
        ],
    }
    return _lens(panel_id, title, "lnsXY", {"bucket": bucket, "count": count()}, visualization)


def table(panel_id: str, title: str, columns: dict[str, Column]) -> Panel:
    """Return a table, one column for each of ``columns``."""
    visualization = {
        "layerId": LAYER,
        "layerType": "data",
        "columns": [{"columnId": name, "hidden": name == "count"} for name in columns],
        "paging": {"size": 20, "enabled": True},
    }
    return _lens(panel_id, title, "lnsDatatable", columns, visualization)


def _lens(panel_id: str, title: str, kind: str, columns: dict[str, Column], visualization: dict[str, Any]) -> Panel:
    layer = {"columns": columns, "columnOrder": list(columns), "incompleteColumns": {}, "sampling": 1}
    return {
        "type": "lens",
        "id": panel_id,
        "attributes": {
            "title": title,
            "visualizationType": kind,
            "state": {
                "adHocDataViews": {},
                "datasourceStates": {"formBased": {"layers": {LAYER: layer}}, "textBased": {"layers": {}}},
                "filters": [],
                "internalReferences": [],
                "query": {"language": "kuery", "query": ""},
                "visualization": visualization,
            },
        },
        "references": [{"type": "index-pattern", "id": DATA_VIEW_ID, "name": f"indexpattern-datasource-layer-{LAYER}"}],
        "coreMigrationVersion": "8.8.0",
        "typeMigrationVersion": "8.9.0",
        "managed": False,
    }
