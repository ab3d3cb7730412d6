"""The charts of a report as files, for chats and wikis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from planrunner.errors import CannotRun
from planrunner.report.charts.charts import PAPER, charts_of, standalone
from planrunner.results.model import RunResult

__all__ = ["draw"]

_SCALE = 2  # pixels of a screen with a high resolution for each of the chart's


def draw(result: RunResult, folder: Path, kind: str) -> Iterator[Path]:
    """Draw each chart into `folder` as `kind`, `png` or `svg`; yield the files.

    Raises:
        CannotRun: vl-convert isn't installed, or a file can't be written.
    """
    try:
        import vl_convert  # noqa: PLC0415 - 30 MB that only charts need
    except ImportError as error:
        raise CannotRun(
            "charts need vl-convert-python, which is not installed",
            hint="pip install vl-convert-python",
        ) from error
    for chart in charts_of(result, PAPER):
        spec = json.dumps(standalone(chart, PAPER))
        path = folder / f"{chart.id}.{kind}"
        if kind == "png":
            data = vl_convert.vegalite_to_png(spec, scale=_SCALE)
        else:
            data = vl_convert.vegalite_to_svg(spec).encode()
        try:
            path.write_bytes(data)
        except OSError as error:
            raise CannotRun(f"cannot write `{path}`: {error.strerror}") from error
        yield path
