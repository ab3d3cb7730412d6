"""A metrics.json that somebody edited is refused in words, or makes every report."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.errors import PlanrunnerError
from planrunner.formats import REPORT_FORMATS, FormatSource
from planrunner.report.formats.compare import print_comparison, write_comparison_html
from planrunner.report.formats.writers import produced_files
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.comparison import compare
from planrunner.results.files.metrics_json import from_json
from planrunner.results.model import RunResult
from tests.support.hostile import HOSTILE

GOLDEN = Path(__file__).parents[2] / "golden/run"
RUNS = {name: json.loads((GOLDEN / name / "metrics.json").read_text()) for name in ("shop",)}
NUMBERS = (0, -1, 0.5, 2**31, 10**15, 10**18, 10**300, 1e99, -1e99, float("nan"), float("inf"))
MOST_OF_A_LIST = 3

Place = tuple[str | int, ...]


def places_in(value: object, place: Place = ()) -> Iterator[Place]:
    """Yield where values stand; of a list only the first few, as the others are alike."""
    if place:
        yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places_in(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:MOST_OF_A_LIST]):
            yield from places_in(item, (*place, index))


PLACES = {name: list(places_in(data)) for name, data in RUNS.items()}


def edit(data: Any, place: Place, change: object) -> None:
    """Put `change` at the place, if an earlier edit has left it; `...` takes the key away."""
    *around, last = place
    try:
        for key in around:
            data = data[key]
        if change is ...:
            del data[last]
        else:
            data[last] = change
    except (LookupError, TypeError):
        return


def make_everything(result: RunResult, other: RunResult) -> None:
    """Write all that is made of a result, and compare it with another one, both ways."""
    for report in REPORT_FORMATS.values():
        if report.source is FormatSource.RESULT:
            for _, produce in produced_files(report, result, Path("samples.bin")):
                produce(io.StringIO())
    print_summary(result, open_console(io.StringIO()))
    for pair in ((result, other), (other, result)):
        comparison = compare(*pair)
        print_comparison(comparison, open_console(io.StringIO()))
        write_comparison_html(comparison, pair, io.StringIO(), bundle="")


CHANGES = HOSTILE | st.sampled_from(NUMBERS) | st.just(...)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
@settings(max_examples=60, derandomize=True, deadline=None)
@given(data=st.data())
def test_an_edited_result_is_refused_or_makes_every_report(name: str, data: st.DataObject) -> None:
    """Whatever stands where: an error of planrunner's own, or reports; never a traceback."""
    edited = deepcopy(RUNS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        edit(edited, data.draw(st.sampled_from(PLACES[name])), data.draw(CHANGES))

    try:
        result = from_json(edited)
    except PlanrunnerError:
        return
    make_everything(result, from_json(RUNS[name]))
