"""What a machine's limits mean for load, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.cli.machine.checks import Machine, read_machine, warnings_of

ROOMY = Machine("Linux", "3.11.7", 4, True, 1_024, 65_536, 28_232, {})  # noqa: FBT003 - a literal


def test_a_roomy_machine_needs_no_advice() -> None:
    """Ports are fewer than files here, so they limit users with one target."""
    assert list(warnings_of(ROOMY)) == []
    assert ROOMY.most_users == 28_232


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"most_open_files": 1_024}, "1,024 open files, enough for 960 users"),
        ({"ports": 5_000}, "5,000 ports"),
        ({"fast_loop": False}, "uvloop is not installed"),
    ],
)
def test_each_limit_has_its_advice(change: dict[str, int | bool], words: str) -> None:
    """With what it means."""
    [warning] = warnings_of(replace(ROOMY, **change))  # type: ignore[arg-type] # of any field

    assert words in warning


def test_what_is_unknown_is_no_limit() -> None:
    """Some systems don't tell."""
    endless = replace(ROOMY, most_open_files=0, open_files=0, ports=0)

    assert endless.most_users == 0
    assert list(warnings_of(endless)) == []


def test_this_machine_can_be_read() -> None:
    """Whatever it is."""
    machine = read_machine()

    assert machine.processors >= 1
    assert machine.python.startswith("3.")
