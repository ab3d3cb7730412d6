"""`services` of Taurus: commands around a run."""

from __future__ import annotations

from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out
from planrunner.importers.templates import literal

__all__ = ["read_services"]

_BEFORE: Final = ("prepare", "startup")
_AFTER: Final = ("shutdown", "post-process")
_GAUGES: Final = {
    "cpu": "cpu",
    "mem": "rss",
    **dict.fromkeys(("bytes-sent", "bytes-recv"), "net"),
    **dict.fromkeys(("disk-read", "disk-write"), "disk"),
}
_INSTEAD: Final = (
    "measure with `monitors:`, start processes with `services:`, run commands in `setup:`"
)
_BACKGROUND: Final = "start it with `services:`, which waits until it is ready"


def read_services(entry: SourceEntry, draft: DraftPlan) -> None:
    """Read commands into `setup` and `teardown`; leaves other services out."""
    entry.construct.translated()
    for node in entry.node.each():
        module = node.entry("module") if node.is_mapping else None
        if module is not None and module.node.text() == "shellexec":
            module.construct.translated()
            _commands(node, draft)
        elif module is not None and module.node.text() in ("monitoring", "monitor"):
            module.construct.translated()
            _monitors(node, draft)
        elif node.is_mapping:
            for one in node.entries or []:
                leave_out(one, _INSTEAD)
        else:
            entry.construct.left_out(f"`{node.text()}`: {_INSTEAD}")


def _monitors(node: SourceNode, draft: DraftPlan) -> None:
    """Read what Taurus measures of its own machine; other machines are left out."""
    for one in node.entries or []:
        if one.key == "run-at" and one.node.text() == "local":
            one.construct.translated()
        elif one.key != "local":
            leave_out(one, _INSTEAD)
        else:
            one.construct.translated()
            for each in one.node.each():
                _measured(each, draft)


def _measured(node: SourceNode, draft: DraftPlan) -> None:
    metrics = node.entry("metrics")
    if metrics is None:
        return
    words = [one.text() for one in metrics.node.each()]
    gauges = list(dict.fromkeys(_GAUGES[one] for one in words if one in _GAUGES))
    others = [one for one in words if one not in _GAUGES]
    if others:
        metrics.construct.changed(f"without {', '.join(others)}, which planrunner does not measure")
    metrics.construct.translated()
    if gauges:
        monitors = draft.extra.setdefault("monitors", {})
        assert isinstance(monitors, dict), "monitors are a mapping"
        known = monitors.setdefault("local", {"host": []})["host"]
        known += [one for one in gauges if one not in known]


def _commands(node: SourceNode, draft: DraftPlan) -> None:
    for one in node.entries or []:
        if one.key in _BEFORE or one.key in _AFTER:
            one.construct.translated()
            steps = draft.setup if one.key in _BEFORE else draft.teardown
            for each in one.node.each():
                step = _command(each, one)
                if step is not None:
                    steps.append(step)
        elif one.key == "run-at" and one.node.text() == "local":
            one.construct.translated()
        elif one.construct.fate is None:
            leave_out(one, _INSTEAD)


def _command(node: SourceNode, at: SourceEntry) -> DraftStep | None:
    """Return the step of a command; None for one that runs in the background."""
    command = node.entry("command") if node.is_mapping else None
    text = command.node.text() if command is not None else node.text()
    background = node.get("background") if node.is_mapping else None
    for one in node.entries or []:
        if background is not None and background.scalar is True:
            one.construct.left_out(_BACKGROUND)
        elif one.key in ("command", "background"):
            one.construct.translated()
        elif one.construct.fate is None:
            leave_out(one, "write it into the command")
    if not text or (background is not None and background.scalar is True):
        return None
    place = command.construct.place if command is not None else at.construct.place
    return DraftStep({"exec": f"sh -c {_quoted(literal(text))}"}, origin=place)


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\"'\"'") + "'"
