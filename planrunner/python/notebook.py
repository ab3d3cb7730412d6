"""Progress in a notebook: one line that is updated, and nothing anywhere else."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from html import escape
from importlib import import_module
from os import urandom
from types import TracebackType
from typing import Any, Final, Self

from planrunner.outputs.base import Output
from planrunner.report.plain import plain
from planrunner.report.terminal.progress import Progress

__all__ = ["NotebookView", "notebook_outputs"]

_MOST_LINES: Final = 5
"""Of what the plan logs: a notebook's cell does not scroll."""

Publish = Callable[..., object]
"""`IPython.display.publish_display_data`."""


def notebook_outputs() -> Sequence[Output]:
    """Return what shows progress where Python runs in a notebook's kernel; else nothing.

    In a terminal, IPython's too, a call shows nothing.
    """
    shell = _shell()
    if not hasattr(shell, "kernel"):
        return ()
    from planrunner.runner.outputs.progress_output import ProgressOutput  # noqa: PLC0415 - for notebooks

    publish: Publish = import_module("IPython.display").publish_display_data
    return (ProgressOutput(NotebookView(publish)),)


def _shell() -> Any:  # noqa: ANN401 - IPython is there or is not, and of any version
    """Return what runs cells; None where no part of the program has imported IPython."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


class NotebookView:
    """A line below the cell whose call made the view; it goes when the run has ended.

    Args:
        publish: Shows data as the output of the cell whose context it is called in.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        # The run has a thread of its own, in which the kernel does not know the cell.
        self._cell = copy_context()
        self._id = f"planrunner-{urandom(8).hex()}"
        self._is_shown = False
        self._said: deque[str] = deque(maxlen=_MOST_LINES)
        self._line = ""
        self._share = 0.0

    def __enter__(self) -> Self:
        self._line = "starting"
        self._update()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._put({"text/plain": "", "text/html": ""})

    def show(self, progress: Progress) -> None:
        from planrunner.report.terminal.live import progress_words  # noqa: PLC0415 - imports rich

        self._line = progress_words(progress)
        planned_s = progress.planned_s
        self._share = min(progress.second / planned_s, 1) if planned_s else 0.0
        self._update()

    def say(self, line: str) -> None:
        self._said.append(plain(line))
        self._update()

    def _update(self) -> None:
        lines = [*self._said, self._line]
        bar = f'<progress max="1" value="{self._share:.4f}"></progress> '
        shown = [*map(escape, self._said), bar + escape(self._line)]
        self._put({"text/plain": "\n".join(lines), "text/html": "<br>".join(shown)})

    def _put(self, data: dict[str, str]) -> None:
        self._cell.run(
            self._publish, data, transient={"display_id": self._id}, update=self._is_shown
        )
        self._is_shown = True
