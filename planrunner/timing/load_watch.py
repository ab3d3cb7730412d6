"""What the machine does while a load runs, beside the run and the processes that it started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from planrunner.timing.machine import MachineWatch
from planrunner.units import NS_PER_S

__all__ = ["looking", "watched_load"]

EventT = TypeVar("EventT")
_CHILDREN: Final = ("children_user", "children_system")


@contextmanager
def watched_load() -> Iterator[MachineWatch]:
    """Watch the machine; what the run's own processes use is no work of others."""
    with MachineWatch(used_ns=used_by_run_ns) as machine:
        yield machine


def looking(machine: MachineWatch, listener: Callable[[EventT], None]) -> Callable[[EventT], None]:
    """Return a listener that has the machine looked at before each event, once a second."""

    def listen(event: EventT) -> None:
        machine.look()
        listener(event)

    return listen


def used_by_run_ns() -> int:
    """Return the processor time of this process and all that it started, those ended included."""
    own = os.times()
    used = own.user + own.system + own.children_user + own.children_system
    if _has_no_children():
        return round(used * NS_PER_S)
    import psutil  # noqa: PLC0415 - it takes longer than most runs have children

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = child.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return round(used * NS_PER_S)


def _has_no_children() -> bool:
    """Say whether it is sure that no process of this one goes on; only Linux tells."""
    try:
        tasks = Path("/proc/self/task").iterdir()
        lists = [(task / "children").read_text() for task in tasks]
    except OSError:
        return False
    return not any(lists)
