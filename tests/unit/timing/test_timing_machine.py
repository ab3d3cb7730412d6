"""What the machine did is read where the system says it, and unknown elsewhere."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import pytest

from planrunner.errors import Misuse
from planrunner.timing.machine import Conditions, MachineWatch
from planrunner.timing.run_queue import RunQueue
from planrunner.units import NS_PER_MS, NS_PER_S

STAT = "1 (a (strange) name) R " + " ".join(["0"] * 35) + " 3 0 0\n"


def watch(folder: Path, *, load: tuple[float, float, float] | None = None) -> MachineWatch:
    """Return what watches a machine that has only the files of a folder.

    Its clock goes on by a millisecond a look, and half a processor is used.
    """
    clock, used = count(0, NS_PER_MS), count(0, NS_PER_MS // 2)

    def averages() -> tuple[float, float, float]:
        if load is None:
            raise OSError("unknown here")
        return load

    queue = RunQueue(folder / "schedstat", (), folder / "cpu")
    return MachineWatch(
        devices=folder,
        stat=folder / "stat",
        load=averages,
        run_queue=queue,
        now_ns=lambda: next(clock),
        used_ns=lambda: next(used),
    )


def frequency(folder: Path, khz: int) -> None:
    place = folder / "cpu3" / "cpufreq"
    place.mkdir(parents=True, exist_ok=True)
    (place / "scaling_cur_freq").write_text(f"{khz}\n")
    (place / "scaling_governor").write_text("powersave\n")
    (folder / "stat").write_text(STAT)


def test_a_frequency_is_of_the_processor_that_the_thread_runs_on(tmp_path: Path) -> None:
    frequency(tmp_path, 2_000_000)
    with watch(tmp_path) as found:
        frequency(tmp_path, 3_100_000)
        seen = found.conditions()

    assert seen.frequencies_khz == (2_000_000, 3_100_000)
    assert seen.governor == "powersave"


def test_waits_are_those_since_entering(tmp_path: Path) -> None:
    (tmp_path / "schedstat").write_text("100 5000 7\n")
    with watch(tmp_path) as found:
        (tmp_path / "schedstat").write_text("900 7500 9\n")
        seen = found.conditions()

    assert seen.waited_ns == 2500


def test_nobody_waits_longer_than_it_took(tmp_path: Path) -> None:
    """Where the system counts waits in coarse steps, one may end in a short stretch."""
    (tmp_path / "schedstat").write_text("100 0 7\n")
    with watch(tmp_path) as found:
        (tmp_path / "schedstat").write_text(f"900 {NS_PER_S} 9\n")
        seen = found.conditions()

    assert seen.waited_ns == seen.elapsed_ns


def test_what_traces_the_code_is_named(tmp_path: Path) -> None:
    """As coverage does, and a debugger: both make Python slower."""
    before = sys.getprofile()
    sys.setprofile(lambda *_: None)
    try:
        with watch(tmp_path) as found:
            seen = found.conditions()
    finally:
        sys.setprofile(before)

    assert seen.tracer in (__name__.partition(".")[0], "coverage")
    assert f"traced by {seen.tracer}" in seen.words


def test_load_is_what_others_use(tmp_path: Path) -> None:
    with watch(tmp_path, load=(3.0, 0.0, 0.0)) as found:
        seen = found.conditions()

    assert seen.load == pytest.approx(3.0 - 0.5 / 3)


def test_what_a_system_does_not_say_is_named(tmp_path: Path) -> None:
    with watch(tmp_path) as found:
        seen = found.conditions()

    assert seen.unknown == ("processor frequency", "load average", "waits for a processor")
    assert seen.processors >= 1


def test_frequency_is_looked_at_now_and_then(tmp_path: Path) -> None:
    """A look between two batches costs nothing when there was one a moment ago."""
    frequency(tmp_path, 2_000_000)
    with watch(tmp_path) as found:
        for khz in range(1_000_000, 1_000_010):
            frequency(tmp_path, khz)
            found.look()
        frequency(tmp_path, 2_000_000)
        seen = found.conditions()

    assert seen.frequencies_khz == (2_000_000, 2_000_000)


def test_this_machine_can_be_watched() -> None:
    with MachineWatch() as found:
        seen = found.conditions()

    assert isinstance(seen, Conditions)
    assert seen.elapsed_ns > 0


def test_nobody_asks_before_watching(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="inside `with`"):
        watch(tmp_path).conditions()
