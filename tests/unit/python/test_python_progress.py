"""Progress in notebooks: a line that is updated, and nothing without a notebook."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from planrunner.python.notebook import NotebookView, notebook_outputs
from planrunner.report.terminal.progress import Progress

CELL: ContextVar[str] = ContextVar("CELL", default="none")


class Cells:
    """What a notebook would show, by the cell that it was sent from."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str], bool]] = []
        self.ids: set[str] = set()

    def publish(self, data: dict[str, str], *, transient: dict[str, str], update: bool) -> None:
        self.sent.append((CELL.get(), data, update))
        self.ids.add(transient["display_id"])


def progress(second: int) -> Progress:
    return Progress(
        second=second,
        planned_s=4.0,
        phase="<main>",
        users=2,
        requests_per_second=10,
        p50_ns=2_000_000,
        p95_ns=3_000_000,
        p99_ns=4_000_000,
        total=10 * second,
        failed=0,
    )


def test_one_line_is_updated_below_its_cell() -> None:
    """From whichever context it is updated; it goes with the run."""
    cells = Cells()
    token = CELL.set("third")
    view = NotebookView(cells.publish)
    CELL.reset(token)

    with view:
        view.show(progress(1))
        view.say("a & b")
        view.show(progress(5))

    assert {cell for cell, _, _ in cells.sent} == {"third"}
    assert [update for _, _, update in cells.sent] == [False, True, True, True, True]
    assert len(cells.ids) == 1
    shown = [data for _, data, _ in cells.sent]
    assert shown[0]["text/plain"] == "starting"
    assert shown[1]["text/plain"].startswith("<main>: 2 users · 10 requests/s · p50 2 ms")
    assert 'value="0.2500"' in shown[1]["text/html"]
    assert "&lt;main&gt;: 2 users" in shown[1]["text/html"]
    assert shown[2]["text/html"].startswith("a &amp; b<br><progress")
    assert 'value="1.0000"' in shown[3]["text/html"]
    assert shown[4] == {"text/plain": "", "text/html": ""}


@pytest.mark.parametrize("shell", [None, SimpleNamespace(), "missing"])
def test_nothing_is_shown_without_a_notebook(
    monkeypatch: pytest.MonkeyPatch, shell: object
) -> None:
    """A program has no IPython, or one that runs nothing; a terminal's has no kernel."""
    ipython: Any = None if shell == "missing" else SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)

    assert notebook_outputs() == ()


def test_a_kernel_shows_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever it is."""
    shell = SimpleNamespace(kernel=object())
    display = SimpleNamespace(publish_display_data=Cells().publish)
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "IPython.display", display)  # type: ignore[arg-type]

    [output] = notebook_outputs()

    assert output.name == "progress"
