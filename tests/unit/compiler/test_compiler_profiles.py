"""Profiles that use others: which phases run, what they are called, and what judges them."""

from __future__ import annotations

import pytest

from planrunner.compiler.load.selection import PlanSelection
from planrunner.explain.explain import explain_text
from planrunner.graph.run_graph import RunGraph
from planrunner.units import write_duration
from tests.support.cpu_time import within_cpu
from tests.support.plans import compiled, findings

PROFILES = """
profiles:
  quick: [{users: 1, hold: 1s}]
  stress:
    - {name: warm, users: 2, hold: 2s, thresholds: [p95 in phase warm < 1s]}
    - {name: peak, users: 3, hold: 3s}
  both: [use: stress, use: quick]
  all: [use: quick, {name: warm, users: 4, hold: 4s}, use: both, {use: quick}]
"""


def profiles(**lists: str) -> str:
    rest = "\n".join(f"  {name}: {phases}" for name, phases in lists.items())
    return f"profiles:\n  quick: [{{users: 1, hold: 1s}}]\n{rest}"


def running(profile: str, *sections: str, phases: tuple[str, ...] = ()) -> RunGraph:
    selection = PlanSelection(profile=profile, phases=phases)
    return compiled(*(sections or (PROFILES,)), selection=selection)


def judged(sentence: str, profile: str = "all") -> set[str]:
    """Return the phases that a threshold looks at."""
    graph = running(profile, PROFILES, f"thresholds: [{sentence!r}]")
    threshold = graph.thresholds[0]
    assert not threshold.not_applicable
    scope = threshold.metrics[0].scope
    return {phase.name for phase in graph.phases if scope.takes(phase.name)}


def test_the_phases_of_a_used_profile_run_in_its_place() -> None:
    """In the order of the list, those of profiles that are used by one that is used too."""
    graph = running("all")

    lengths = [write_duration(phase.load.planned_ns) for phase in graph.phases]
    assert lengths == ["1s", "4s", "2s", "3s", "1s", "1s"]


def test_phases_keep_their_names_and_none_has_that_of_another() -> None:
    """One without a name is called like the profile that has it."""
    graph = running("all")

    names = ["quick", "warm", "warm-2", "peak", "quick-2", "quick-3"]
    assert [phase.name for phase in graph.phases] == names
    assert [phase.profile for phase in graph.phases] == [
        "quick",
        "",
        "stress",
        "stress",
        "quick",
        "quick",
    ]


def test_a_single_phase_of_it_can_be_picked() -> None:
    graph = running("all", phases=("warm-2", "quick"))

    assert [phase.name for phase in graph.phases] == ["quick", "warm-2"]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("p95 in profile quick < 1s", {"quick", "quick-2", "quick-3"}),
        ("p95 in profile stress < 1s", {"warm-2", "peak"}),
        ("p95 in profile both < 1s", {"warm-2", "peak", "quick-2"}),
        ("p95 in profile stress phase warm < 1s", {"warm-2"}),
        ("p95 in phase warm < 1s", {"warm"}),
        ("p95 in phase warm-2 < 1s", {"warm-2"}),
        ("ratio(p95 in profile quick, p50 in profile stress) < 9", {"quick", "quick-2", "quick-3"}),
        (
            "p95 in profile all < 1s",
            {"quick", "warm", "warm-2", "peak", "quick-2", "quick-3"},
        ),
    ],
)
def test_a_threshold_in_a_profile_judges_the_phases_that_came_from_it(
    sentence: str, expected: set[str]
) -> None:
    """Under the names that they have when it runs alone."""
    assert judged(sentence) == expected


def test_a_threshold_of_a_used_phase_judges_that_phase() -> None:
    """Also where its sentence names the phase, and the phase has a number in this run."""
    graph = running("all")

    assert [str(threshold) for threshold in graph.thresholds] == ["p95 in phase warm-2 < 1s"]


@pytest.mark.parametrize(
    ("sentence", "profile", "phases", "reason"),
    [
        ("p95 in profile stress < 1s", "quick", (), "profile stress does not run"),
        ("p95 in profile all < 1s", "both", (), "profile all does not run"),
        ("p95 in profile stress < 1s", "all", ("quick",), "no phase of profile stress runs"),
        ("p95 in profile quick phase warm < 1s", "all", (), "phase warm does not run"),
    ],
)
def test_a_threshold_in_a_profile_that_does_not_run_does_not_apply(
    sentence: str, profile: str, phases: tuple[str, ...], reason: str
) -> None:
    graph = running(profile, PROFILES, f"thresholds: [{sentence!r}]", phases=phases)

    assert graph.thresholds[0].not_applicable == reason


def test_explain_says_where_a_phase_comes_from() -> None:
    """Unless its name does."""
    text = explain_text(running("both"))

    assert "load: 3 phases of profile both (--profile), 6s in all" in text
    assert text.count("from profile stress") == 2
    assert "from profile quick" not in text


def test_start_at_of_a_used_phase_is_said_to_count_from_the_start() -> None:
    """Its author thought of the profile alone."""
    text = profiles(late="[{users: 1, hold: 1s}, {name: side, users: 1, hold: 1s, start_at: 1s}]")
    graph = running("all", f"{text}\n  all: [use: quick, use: late]")

    assert [notice.partition(": ")[2] for notice in graph.notices] == [
        "`start_at` counts from the start of the run, so phase `side` doesn't wait for what "
        "`all` runs before `late`"
    ]
    assert not running("late", text).notices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            profiles(all="[use: qick]"),
            ("unknown-name", "qick", "no profile is called `qick`", "did you mean `quick`?"),
        ),
        (
            profiles(all="[use: zzz]"),
            ("unknown-name", "zzz", "no profile is called `zzz`", "profiles: quick, all"),
        ),
        (
            profiles(all="[use: all]"),
            (
                "not-allowed",
                "all",
                "profile `all` uses itself: all → all",
                "leave out one `use` of this circle",
            ),
        ),
        (
            profiles(a="[use: quick, use: b]", b="[use: c]", c="[use: b]"),
            (
                "not-allowed",
                "c",
                "profile `b` uses itself: b → c → b",
                "leave out one `use` of this circle",
            ),
        ),
        (
            profiles(all="[{use: quick, hold: 1s}]"),
            (
                "conflicting-keys",
                "hold",
                "`hold` can't be combined with `use`",
                "`use` runs phases as they are: change those of `quick`, or make this a phase of "
                "its own",
            ),
        ),
        (
            profiles(all="[quick]"),
            (
                "wrong-type",
                "quick",
                "`quick` is not a phase",
                "write `{use: quick}` for the phases of that profile",
            ),
        ),
        (
            "phases: [{use: quick}]",
            (
                "not-allowed",
                "use",
                "`use` names a profile, and a plan with `phases` has none",
                "put the phases under `profiles:`, which maps names to lists of phases",
            ),
        ),
        (
            profiles(all="[{use: 5}]"),
            ("wrong-type", "5", "`use` must be text, got the number `5`", 'quote it: `"5"`'),
        ),
    ],
)
def test_a_use_that_gives_no_phases_is_found(text: str, expected: tuple[str, ...]) -> None:
    """Whichever profile runs."""
    assert [tuple(found) for found in findings(text)] == [expected]


def test_profiles_that_use_each_other_are_bounded() -> None:
    """Thirty lines can't stand for more phases than anyone has time to run."""
    text = "profiles:\n  p0: [{users: 1, hold: 1s}]\n"
    text += "\n".join(
        f"  p{n}: [use: p{n - 1}, use: p{n - 1}, use: p{n - 1}]" for n in range(1, 30)
    )

    [found] = within_cpu(10, lambda: findings(text))

    assert found.code == "too-complex"
    assert found.message == "profile `p6` uses over 1,000 phases"
