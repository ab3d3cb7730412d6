"""The machine is watched while a load runs, and the run's own processes are not other work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from planrunner.timing.load_watch import looking, used_by_run_ns, watched_load
from planrunner.timing.machine import MachineWatch
from planrunner.units import NS_PER_S

BUSY = "import time\nwhile time.process_time() < 0.05: pass\n"


def test_an_event_is_handed_on_after_a_look(tmp_path: Path) -> None:
    heard: list[str] = []
    with MachineWatch(devices=tmp_path) as machine:
        looking(machine, heard.append)("second 1")

    assert heard == ["second 1"]


def test_a_process_that_the_run_started_is_its_own() -> None:
    """Also when it has ended."""
    before_ns = used_by_run_ns()

    subprocess.run([sys.executable, "-c", BUSY], check=True)

    assert used_by_run_ns() - before_ns >= 0.04 * NS_PER_S


def test_a_load_is_watched_on_this_machine() -> None:
    with watched_load() as machine:
        seen = machine.conditions()

    assert seen.processors >= 1
