"""Phases: their keys decide the model of load, and mixing models is an error."""

from __future__ import annotations

import pytest

from planrunner.language.fields.types import Deferred
from planrunner.plan.models.load.search import LevelStep, SearchModel
from planrunner.plan.models.load.workload import LoadKind, PhaseModel
from planrunner.units import NS_PER_MINUTE, NS_PER_S, Rate
from tests.support.plan_models import found_in, plain


def phase(text: str) -> PhaseModel:
    return PhaseModel.model_validate(plain(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{users: 10, hold: 1m}", LoadKind.CLOSED),
        (
            "{users: {A: 10, B: '${n}'}, spawn_rate: 2/s, hold: 1m, throttle: 100/s}",
            LoadKind.CLOSED,
        ),
        ("{users: 10, ramp_up: 10s, hold: 1m, warmup: 5s, graceful_stop: 1s}", LoadKind.CLOSED),
        ("{stages: [{duration: 1m, users: 10}]}", LoadKind.CLOSED),
        ("{stages: '2m:200, 5m:200, 2m:0', throttle: 10/s}", LoadKind.CLOSED),
        ("{users: 5, iterations: 9, throttle: 10/s}", LoadKind.COUNTED),
        ("{users: 5, throttle: 10/s, iterations_per_user: 9}", LoadKind.COUNTED),
        ("{rate: 200/s, hold: 1m, arrivals: poisson, max_users: 400}", LoadKind.OPEN),
        ("{rate: {A: 10/s}, hold: 1m}", LoadKind.OPEN),
        ("{stages: [{duration: 1m, rate: 10/s}], max_users: 5}", LoadKind.OPEN),
        ("{stages: '1m:20/s'}", LoadKind.OPEN),
        ("{users: 1, iterations: '${ops}'}", LoadKind.COUNTED),
        ("{users: 1, iterations_per_user: 5, max_duration: 1m}", LoadKind.COUNTED),
        (
            "{search: {vary: users, from: 1, to: 9, step: +2, hold: 1m, slo: [p95 < 1s]}}",
            LoadKind.SEARCH,
        ),
        (
            "{name: x, users: 1, hold: 1s, start_at: 5s, only: {users: [A]}, skip: {tags: [t]},"
            " params: {a: 1}, thresholds: [p95 < 1s]}",
            LoadKind.CLOSED,
        ),
    ],
)
def test_keys_decide_the_model_of_load(text: str, kind: LoadKind) -> None:
    """Never their values."""
    assert phase(text).kind is kind


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("{users: 1, rate: 1/s, hold: 1m}", "rate", "`rate` can't be combined with `users`"),
        ("{rate: 1/s, users: 1, hold: 1m}", "users", "`users` can't be combined with `rate`"),
        ("{users: 1, stages: '1m:1'}", "stages", "`stages` can't be combined with `users`"),
        ("{stages: '1m:1', hold: 1m}", "hold", "`hold` can't be combined with `stages`"),
        ("{users: 1, ramp_up: 1s, spawn_rate: 1/s, hold: 1s}", "spawn_rate", "with `ramp_up`"),
        (
            "{users: 1, iterations: 1, hold: 1m}",
            "hold",
            "`hold` can't be combined with `iterations`",
        ),
        ("{users: 1, hold: 1m, max_users: 5}", "max_users", "can't be combined with `users`"),
        ("{rate: 1/s, hold: 1m, throttle: 1/s}", "throttle", "can't be combined with `rate`"),
        (
            "{users: 1, iterations: 1, iterations_per_user: 1}",
            "iterations_per_user",
            "`iterations`",
        ),
        ("{stages: '1m:1/s', throttle: 1/s}", "throttle", "can't be combined with `stages`"),
    ],
)
def test_models_of_load_do_not_mix(text: str, key: str, message: str) -> None:
    """The fault is at the later of two keys that exclude each other, and only there."""
    (fault,) = found_in(PhaseModel, text)

    assert (fault.code, fault.key) == ("conflicting-keys", key)
    assert message in fault.message
    assert fault.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{hold: 1m}", "missing-key"),
        ("{users: 1}", "missing-key"),
        ("{rate: 1/s}", "missing-key"),
        ("{iterations: 5}", "missing-key"),
        ("{}", "missing-key"),
        ("{user: 1, hold: 1m}", "unknown-key"),
        ("{users: [A, B], hold: 1m}", "wrong-type"),
        ("{users: ten, hold: 1m}", "invalid-value"),
        ("{users: -1, hold: 1m}", "invalid-value"),
        ("{users: 1, hold: 60}", "invalid-unit"),
        ("{users: 1, hold: 5 minutes}", "invalid-unit"),
        ("{rate: 100, hold: 1m}", "invalid-unit"),
        ("{users: 1, hold: 1m, thresholds: [p95 << 1s]}", "threshold-syntax"),
        ("{users: 1, hold: 1m, only: {}}", "missing-key"),
    ],
)
def test_what_a_phase_lacks_or_misspells(text: str, code: str) -> None:
    """One fault each, with its code."""
    assert [fault.code for fault in found_in(PhaseModel, text)] == [code]


def test_words_of_other_tools_are_translated() -> None:
    """A k6 or Taurus user is told the word that is used here."""
    faults = found_in(PhaseModel, "{vus: 10, duration: 1m}")

    assert [(fault.key, fault.hint) for fault in faults] == [
        ("vus", "here it is called `users`"),
        ("duration", "here it is called `hold`"),
    ]


def test_compact_stages_are_the_list_written_shorter() -> None:
    """Users or rates, with expressions where they are wanted."""
    short = phase("stages: '2m:200, 0s:${n}, ${d}:0'").stages
    rates = phase("stages: '1m:20/s, 30s:1/s'").stages

    assert short is not None
    assert rates is not None
    assert (short[0].duration, short[0].users) == (2 * NS_PER_MINUTE, 200)
    assert isinstance(short[1].users, Deferred)
    assert isinstance(short[2].duration, Deferred)
    assert [stage.rate for stage in rates] == [Rate(20, NS_PER_S), Rate(1, NS_PER_S)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("stages: '2m'", "invalid-value"),
        ("stages: ''", "too_short"),
        ("stages: []", "too_short"),
        ("stages: '2m:fast'", "invalid-value"),
        ("stages: '2 minutes:5'", "invalid-unit"),
        ("stages: '2m:5, 1m:5/s'", "conflicting-keys"),
        ("stages: [{duration: 1m, users: 1}, {duration: 1m, rate: 1/s}]", "conflicting-keys"),
        ("stages: [{duration: 1m, users: 1, rate: 1/s}]", "conflicting-keys"),
        ("stages: [{duration: 1m}]", "missing-key"),
        ("stages: [{users: 1}]", "missing"),
    ],
)
def test_faulty_stages(text: str, code: str) -> None:
    """Each has exactly one fault."""
    assert [fault.code for fault in found_in(PhaseModel, text)] == [code]


def test_a_stage_of_the_other_kind_is_at_fault() -> None:
    """All stages of a phase move users, or all move a rate."""
    text = "stages: [{duration: 1m, users: 1}, {duration: 1m, rate: 1/s}]"

    (fault,) = found_in(PhaseModel, text)

    assert (fault.where, fault.key) == (("stages", 1), "rate")


SEARCH = "{vary: rate, from: 20/s, to: 5000/s, step: x1.5, hold: 60s, slo: [p95 < 500ms]}"


def test_a_search_reads_its_levels_and_steps() -> None:
    """Rates or users; a factor or an amount."""
    search = SearchModel.model_validate(plain(SEARCH))
    users = SearchModel.model_validate(
        plain("{vary: users, from: 10, to: 500, step: +50, hold: 60s, slo: [p95 < 1s]}")
    )

    assert (search.from_, search.step) == (Rate(20, NS_PER_S), LevelStep(times=1.5))
    assert (users.to, users.step) == (500, LevelStep(plus=50))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("step: x1.5", "step: x1", "invalid-value"),
        ("step: x1.5", "step: twice", "invalid-value"),
        ("step: x1.5", "step: +50", "invalid-value"),
        ("from: 20/s", "from: 20", "invalid-value"),
        ("from: 20/s", "from: 20/fortnight", "invalid-unit"),
        ("slo: [p95 < 500ms]", "slo: []", "too_short"),
        ("slo: [p95 < 500ms]", "slo: [p95]", "threshold-syntax"),
        ("vary: rate", "vary: both", "literal_error"),
        ("hold: 60s, ", "", "missing"),
    ],
)
def test_faulty_searches(old: str, new: str, code: str) -> None:
    """Levels are of the kind that varies, and steps lead up."""
    faults = found_in(SearchModel, SEARCH.replace(old, new))

    assert [fault.code for fault in faults] == [code]
