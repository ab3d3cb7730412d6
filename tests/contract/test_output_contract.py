"""What every output owes a run, and what none may cost it, whatever becomes of its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import pytest

from planrunner.engine.coordinator.events import Insight, RunEnded, RunStarted, Tick
from planrunner.engine.recording.generator_health import Health
from planrunner.engine.stop import Ending
from planrunner.errors import CannotRun
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.outputs import FanOut, RunInfo, WantedOutput, fan_out, sending
from planrunner.plan.output_kinds import registry
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.echo_servers import install
from tests.support.output_cases import CASES, SECRET, Fault, OutputCase

ODD = 'GET /"quoted"\n<script>alert(1)</script>'
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHORT_S = 0.2

AT_START = [(case, fault) for case in CASES for fault in sorted(case.at_start)]
LATER = [(case, fault) for case in CASES for fault in sorted(case.faults - case.at_start)]


@pytest.fixture(autouse=True)
def _installed(
    case: OutputCase,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """The output is installed, and nobody waits for long where waiting is in vain."""
    if request.node.callspec.params.get("fault") is Fault.DEAF:
        monkeypatch.setattr(fan_out, "END_S", SHORT_S)
        monkeypatch.setattr(fan_out, "_CANCEL_S", SHORT_S / 4)
    monkeypatch.setattr(sending, "_FIRST_PAUSE_S", 0.001)
    for number, package in enumerate(case.packages):
        site = tmp_path / f"site {number}"
        site.mkdir()
        install(package, site, monkeypatch)
    yield
    monkeypatch.undo()
    registry.forget_packages()


class Shown(NamedTuple):
    """What became of a run of three seconds with one output."""

    notices: tuple[str, ...]
    has_all: bool
    took_s: float
    counts: dict[str, int]


def show(
    case: OutputCase,
    folder: Path,
    fault: Fault | None = None,
    *,
    is_optional: bool = False,
    wait_s: float = 0,
) -> Shown:
    """Let an output see three seconds, each with one good and one failed request a name."""

    async def main() -> Shown:
        async with case.open(folder, fault) as place:
            run = RunInfo("r1", "shop", "", 7, {}, folder)
            wanted = WantedOutput(
                case.make(place, ("read",)), is_optional=is_optional, is_required=True
            )
            told = FanOut([wanted], run, mask=mask, now=lambda: NOON)
            began_s = perf_counter()
            async with told:
                told.tell(RunStarted("r1", "shop", 7, 0, 2 * NS_PER_S))
                for number in (1, 2):
                    health = Health(0, 0.0)
                    told.tell(Tick(number, ("main",), of(number), Accumulated(), health, Insight()))
                told.tell(RunEnded(Ending.FINISHED, "", of(3)))
                await asyncio.sleep(wait_s)
                await told.close(None)
            took_s = perf_counter() - began_s
            await asyncio.sleep(0.01)  # what was sent over a connection is still on its way
            has_all = told.has_all_required
            return Shown(told.notices(), has_all, took_s, place.counts() if has_all else {})

    return asyncio.run(main())


def mask(text: str) -> str:
    return text.replace(SECRET, "***")


def of(number: int) -> Snapshot:
    """Return one second: two names, each with a good, a failed, a warm and an aborted request."""
    deltas = {}
    for name in ("GET /", ODD):
        good = Labels(name, "GET", "main", "hold", "User", "task", tags=(("read", ""),), status=200)
        for labels in (
            good,
            Labels(name, "GET", "main", "hold", "User", "task", failure="timeout"),
            Labels(name, "GET", "main", "hold", "User", "task", failure="aborted"),
        ):
            latency = Histogram([number * NS_PER_MS])
            deltas[labels] = SeriesDelta(latency, latency, received=100, sent=50)
    return Snapshot((number - 1) * NS_PER_S, number * NS_PER_S, {"User": 3}, deltas)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_request_arrives_once(case: OutputCase, tmp_path: Path) -> None:
    """Good ones and failed ones of every second, the last one too, whatever their names are."""
    shown = show(case, tmp_path)

    assert (shown.notices, shown.has_all) == ((), True)
    assert sorted(shown.counts.values()) == [6, 6]


@pytest.mark.parametrize(("case", "fault"), AT_START, ids=str)
def test_a_fault_at_the_start_ends_the_run_unless_it_is_optional(
    case: OutputCase, tmp_path: Path, fault: Fault
) -> None:
    """With the output's name, what to do, and no secret."""
    (tmp_path / "again").mkdir()

    with pytest.raises(CannotRun) as refused:
        show(case, tmp_path, fault)
    left_out = show(case, tmp_path / "again", fault, is_optional=True)

    assert refused.value.message.startswith(f"output `{case.name}`: ")
    assert refused.value.hint
    assert SECRET not in refused.value.message + refused.value.hint
    assert left_out.notices[0].startswith(f"the output `{case.name}` was left out: ")
    assert SECRET not in "".join(left_out.notices)


@pytest.mark.parametrize(("case", "fault"), LATER, ids=str)
def test_a_fault_during_the_run_is_counted_and_holds_up_nothing(
    case: OutputCase, tmp_path: Path, fault: Fault
) -> None:
    """The end waits as long as it may; notices say how much was lost, and why."""
    shown = show(case, tmp_path, fault, wait_s=0.05)

    assert shown.took_s < 1 + fan_out.END_S
    if fault is Fault.FLAKY:
        assert (shown.notices, shown.has_all) == ((), True)
        assert sorted(shown.counts.values()) == [6, 6]
    else:
        said = " ".join(shown.notices)
        assert not shown.has_all
        assert "second" in said
        assert SECRET not in said
