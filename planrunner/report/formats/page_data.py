"""What the script of a page reads: the charts, their data as columns, each request over time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from markupsafe import Markup

from planrunner.report.charts.chart import Chart, Rows
from planrunner.report.charts.over_time.request_columns import RequestColumns
from planrunner.report.charts.palette import SCREEN, config

__all__ = ["chart_data"]

_MOST_SHARED: Final = 0.5
"""Of the values of a column: with more different texts, a list of them saves nothing."""


def chart_data(charts: Sequence[Chart], requests: Sequence[RequestColumns]) -> Markup:
    """Return the JSON that a script element holds; data that charts share is in it once."""
    datasets: dict[int, str] = {}
    shared: dict[str, object] = {}
    described = []
    for chart in charts:
        names: dict[str, str] = {}
        for name, rows in chart.data.items():
            key = datasets.setdefault(id(rows), f"{name}-{len(datasets)}")
            shared[key] = _columns(rows)
            names[name] = key
        described.append(_described(chart, names))
    page = {
        "config": config(SCREEN) | {"aria": False},
        "datasets": shared,
        "charts": described,
        "requests": list(_requests(requests)),
        "slots": SCREEN.slots,
    }
    text = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    # In a script element nothing but `<` could end it, and these two end a line of JavaScript.
    for letter, escaped in (("<", "\\u003c"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(letter, escaped)
    return Markup(text)


def _requests(columns: Sequence[RequestColumns]) -> Iterator[dict[str, object]]:
    """Yield each request over time; times that are those of the one before it are null."""
    before: Sequence[int] = ()
    for one in columns:
        data = one.as_data()
        if one.seconds == before:
            data["t"] = None
        before = one.seconds
        yield data


def _described(chart: Chart, data: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": chart.id,
        "wide": chart.wide,
        "unit": chart.unit,
        "follows": chart.follows,
        "spec": {**chart.spec, "datasets": {}},
        "data": data,
        "entries": [
            {"series": one.series, "color": one.color, "dashed": one.is_dashed}
            | ({"unit": one.unit} if one.unit else {})
            for one in chart.entries
        ],
    }


def _columns(rows: Rows) -> dict[str, object]:
    """Return rows as columns, which is a third as long; a key that a row lacks is null."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: _column([row.get(key) for row in rows]) for key in keys}


def _column(values: Sequence[object]) -> object:
    texts = dict.fromkeys(values) if all(isinstance(value, str) for value in values) else {}
    if not texts or len(texts) > _MOST_SHARED * len(values):
        return values
    places = {text: n for n, text in enumerate(texts)}
    return {"of": list(texts), "at": [places[value] for value in values]}
