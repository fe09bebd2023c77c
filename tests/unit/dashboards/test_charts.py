from __future__ import annotations

from dashboards.charts import Bar, columns, meter


def test_the_tallest_bar_fills_the_chart_and_empty_ones_are_not_drawn() -> None:
    svg = columns([Bar("a", 4), Bar("b", 0), Bar("c", 1)], "three days", width=300, height=40)
    assert svg.count("<rect") == 2
    assert 'height="40"' in svg
    assert 'height="10"' in svg


def test_names_in_charts_are_escaped() -> None:
    svg = columns([Bar("<script>", 1)], '"><script>')
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg


def test_a_meter_marks_the_threshold() -> None:
    assert 'x1="62"' in meter(0.9, mark=0.62, label="score")
    assert "<line" not in meter(0.9)
