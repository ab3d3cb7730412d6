"""The metrics of the plan's own in the summary, as lines."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from planrunner.report.columns import Column, blocks
from planrunner.report.own_metrics import OWN_COLUMNS, OwnMetricRow, own_metric_rows
from planrunner.report.plain import plain
from planrunner.results.model import RunResult

__all__ = ["own_metric_lines"]

_MOST_ROWS: Final = 100
_FEW_ROWS: Final = 20
_RANKS: Final = (3, 4, 2, 0, 7, 5, 1, 6, 8)
"""Of `OWN_COLUMNS`: where there is little room, the average stays."""


def own_metric_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return each metric with its figures, request by request.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    rows = own_metric_rows(result)
    if not rows:
        return []
    shown = rows if len(rows) <= _MOST_ROWS else rows[:_FEW_ROWS]
    title = "metric, phase" if any(row.phase for row in shown) else "metric"
    columns = [
        Column(title, [_name(row) for row in shown], floor=12, usual=18),
        *(
            Column(title.lower(), [row.cells[n] for row in shown], rank=rank, usual=7)
            for n, (title, rank) in enumerate(zip(OWN_COLUMNS, _RANKS, strict=True))
        ),
    ]
    table = blocks(columns, None if width is None else width - 1)
    lines = [Text.assemble(" ", line) for block in table for line in block]
    if left := len(rows) - len(shown):
        lines.append(Text(f" … {left:,} more in the report", style="dim"))
    return lines


def _name(row: OwnMetricRow) -> str:
    """Return what a row is about; that of a phase stands below the one of the whole run."""
    if row.phase:
        return f"  {plain(row.phase)}"
    return f"{row.metric} of {plain(row.request) or '(no name)'}"
