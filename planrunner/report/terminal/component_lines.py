"""The table of components in the summary."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from planrunner.report.columns import Column, blocks
from planrunner.report.components import (
    component_names,
    middle_words,
    noisy_first,
    stability_words,
)
from planrunner.report.plain import fold, plain
from planrunner.results.model import RunResult

__all__ = ["component_lines"]

_UNFOLDED: Final = 10_000


def component_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return what each component took, and below a noisy one what to do and why.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    found = noisy_first(result)
    if not found:
        return []
    styles = ["" if one.stable else "yellow" for one in found]
    columns = [
        Column("component", list(map(plain, component_names(found))), floor=12, usual=18),
        Column("samples", [f"{one.samples:,}" for one in found], rank=1, usual=7),
        Column("median ± MAD", list(map(middle_words, found)), styles, usual=16),
    ]
    header, *rows = blocks(columns, None if width is None else width - 1)
    lines = [*header]
    for one, row in zip(found, rows, strict=True):
        lines += row
        words = fold(stability_words(one), max((width or _UNFOLDED) - 4, 1))
        lines += [Text(f"   {line}", style="dim" if one.stable else "yellow") for line in words]
    return [Text.assemble(" ", line) for line in lines]
