"""What a plan may write about load: phases, and the models of load that their keys decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import BeforeValidator, Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, error, known_keys, later
from planrunner.language.fields.types import (
    Count,
    Duration,
    PositiveInt,
    RateField,
    TextField,
)
from planrunner.language.foreign_words import PHASE_HINTS
from planrunner.plan.models.load.level import LevelField, misfits
from planrunner.plan.models.load.matrix import Matrix, matrix_faults, with_levels
from planrunner.plan.models.load.phase_words import PHASE_WORDS
from planrunner.plan.models.load.selection import SelectionModel
from planrunner.plan.models.load.stages import StageList, level_key, mixed_stages
from planrunner.plan.models.load.tool_phase import (
    TOOL_KEYS,
    ToolName,
    foreign_to_tools,
    tool_faults,
)
from planrunner.plan.models.load.warmup import WarmupField, warmup_faults
from planrunner.plan.models.thresholds import ThresholdModel

if TYPE_CHECKING:
    from planrunner.plan.models.load.search import SearchModel
else:  # plans without a search don't import what it takes
    SearchModel = later("planrunner.plan.models.load.search", "SearchModel")

__all__ = [
    "PHASE_KEYS",
    "LoadKind",
    "PhaseModel",
    "RateLevel",
    "UserLevel",
]


class LoadKind(StrEnum):
    """The model of load; decided by which keys a phase has, never by their values."""

    CLOSED = "closed"
    OPEN = "open"
    COUNTED = "counted"
    SEARCH = "search"
    TOOL = "tool"


_COMMON: Final = frozenset(
    {
        "name",
        "start_at",
        "warmup",
        "graceful_stop",
        "only",
        "skip",
        "params",
        "matrix",
        "thresholds",
    }
)

_KEYS: Final[Mapping[LoadKind, frozenset[str]]] = {
    LoadKind.CLOSED: frozenset(
        {"users", "from", "ramp_up", "spawn_rate", "hold", "stages", "throttle"}
    ),
    LoadKind.OPEN: frozenset({"rate", "from", "hold", "stages", "arrivals", "max_users"}),
    LoadKind.COUNTED: frozenset(
        {
            "users",
            "ramp_up",
            "spawn_rate",
            "iterations",
            "iterations_per_user",
            "max_duration",
            "throttle",
        }
    ),
    LoadKind.SEARCH: frozenset({"search"}),
    LoadKind.TOOL: frozenset(TOOL_KEYS),
}

_OF_USERS: Final = frozenset({"only", "skip"})

PHASE_KEYS: Final = {
    kind: keys | (_COMMON - _OF_USERS if kind is LoadKind.TOOL else _COMMON)
    for kind, keys in _KEYS.items()
}
"""The keys that a phase with each model of load may have."""

# The later of two keys in the file is the offending one; the hint says what the pair means.
_EXCLUSIVE: Final[tuple[tuple[str, str, str], ...]] = (
    ("users", "rate", "`users` is a closed model, `rate` an open one: keep one of them"),
    ("ramp_up", "spawn_rate", "both say how fast users start: keep one of them"),
    ("iterations", "iterations_per_user", "keep one of them"),
    ("search", "warmup", "each level has a warm-up of its own: write `settle:` in `search`"),
    *(
        ("stages", key, "the stages already define the load: keep `stages`, or the other keys")
        for key in ("users", "rate", "ramp_up", "spawn_rate", "hold")
    ),
)

_CLOSED_HINT: Final = "write how long the level is kept: `hold: 1m`"


class PhaseModel(PlanMapping):
    """One part of a run, with one model of load and results of its own."""

    synonyms: ClassVar[Mapping[str, str]] = PHASE_WORDS
    elsewhere: ClassVar[Mapping[str, str]] = PHASE_HINTS

    use: str | None = Field(
        None,
        min_length=1,
        description="Run the phases of this profile in its place; without any other key.",
        examples=["quick"],
    )
    name: str | None = Field(
        None,
        min_length=1,
        description="Its name in results and thresholds. Default `main`, or the profile's name.",
        examples=["peak"],
    )
    users: UserLevel | None = Field(
        None,
        description="Closed model: how many users; split by weight, or exact by class.",
        examples=["100", "{Buyer: 10, Visitor: 90}"],
    )
    rate: RateLevel | None = Field(
        None,
        description="Open model: iterations started per unit of time, however the target responds.",
        examples=["200/s"],
    )
    from_: LevelField | None = Field(
        None,
        alias="from",
        description="The level that the first stage, or the ramp, begins at. Default 0.",
        examples=["50"],
    )
    ramp_up: Duration | None = Field(
        None, description="How long it takes until all users have started.", examples=["30s"]
    )
    spawn_rate: RateField | None = Field(
        None, description="How many users start per unit of time.", examples=["10/s"]
    )
    hold: Duration | None = Field(
        None,
        description="How long the level is kept; it starts when the ramp has ended.",
        examples=["5m"],
    )
    stages: StageList | None = Field(
        None,
        description="Levels in order; each is reached linearly from the previous one.",
        examples=['"2m:200, 5m:200, 2m:0"'],
    )
    throttle: RateField | None = Field(
        None,
        description="With users: the most requests per unit of time, over the whole phase.",
        examples=["100/s"],
    )
    arrivals: Literal["uniform", "poisson"] | None = Field(
        None,
        description="Open model: evenly spaced, or at random as independent people would. "
        "Default uniform.",
        examples=["poisson"],
    )
    max_users: PositiveInt | None = Field(
        None,
        description="Open model: the most users at once; an arrival that finds all of them busy "
        "is counted as dropped. Default 1000.",
        examples=["400"],
    )
    iterations: PositiveInt | None = Field(
        None,
        description="Counted: how many iterations all users together run.",
        examples=["1000"],
    )
    iterations_per_user: PositiveInt | None = Field(
        None, description="Counted: how many iterations each user runs.", examples=["10"]
    )
    max_duration: Duration | None = Field(
        None,
        description="Counted: the phase ends here even if iterations are left. Default 10m.",
        examples=["10m"],
    )
    search: SearchModel | None = Field(
        None,
        description="Search for the highest level at which the conditions hold.",
        examples=["{vary: rate, from: 20/s, to: 500/s, step: x1.5, hold: 60s, slo: [p95 < 500ms]}"],
    )
    tool: ToolName | None = Field(
        None,
        description="Another load tool, which runs in place of users.",
        examples=["k6"],
    )
    script: TextField | None = Field(
        None, description="With `tool`: the file that it runs.", examples=["load.js"]
    )
    args: list[TextField] | None = Field(
        None,
        description="With `tool`: what else stands on its command line.",
        examples=["[--vus, 10, --duration, 30s]"],
    )
    env: dict[str, TextField] | None = Field(
        None,
        description="With `tool`: environment variables in addition to planrunner's own.",
        examples=["{BASE_URL: '${target}'}"],
    )
    timeout: Duration | None = Field(
        None,
        description="With `tool`: it is stopped after this long. Default 1h.",
        examples=["10m"],
    )
    start_at: Duration | None = Field(
        None,
        description="Run alongside the other phases, from this long after the start of the run.",
        examples=["30s"],
    )
    warmup: WarmupField | None = Field(
        None,
        description="The first part of the phase; its samples are kept but not judged. A time, or "
        "beside `iterations` and `iterations_per_user` how many of these.",
        examples=["20s", "1"],
    )
    graceful_stop: Duration | None = Field(
        None,
        description="How long running iterations may continue after the end. Default 30s.",
        examples=["10s"],
    )
    only: SelectionModel | None = Field(
        None, description="Run only these classes and tags.", examples=["{users: [ApiUser]}"]
    )
    skip: SelectionModel | None = Field(
        None, description="Leave these classes and tags out.", examples=["{tags: [write]}"]
    )
    params: dict[str, Any] | None = Field(
        None, description="Values of params for this phase.", examples=["{page_size: 100}"]
    )
    matrix: Matrix | None = Field(
        None,
        description="Run the phase once for each combination of these values: of `case`, of any "
        "param, of `users` or `rate`.",
        examples=["{case: [small, large], format: [csv, parquet]}", "{users: [10, 50, 100]}"],
    )
    thresholds: list[ThresholdModel] | None = Field(
        None, description="Conditions on this phase only.", examples=["[p95 < 500ms]"]
    )

    @property
    def kind(self) -> LoadKind:
        if self.tool is not None:
            return LoadKind.TOOL
        if self.search is not None:
            return LoadKind.SEARCH
        if self.iterations is not None or self.iterations_per_user is not None:
            return LoadKind.COUNTED
        rates = (
            self.rate is not None
            or "rate" in (self.matrix or ())
            or (self.stages is not None and self.stages[0].rate is not None)
        )
        return LoadKind.OPEN if rates else LoadKind.CLOSED

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, str):
            hint = f"write `{{use: {data}}}` for the phases of that profile"
            raise error(Fault(Code.WRONG_TYPE, f"`{data}` is not a phase", hint))
        return data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if "use" in data:
            yield from _faults_beside_use(data)
            return
        found = [*foreign_to_tools(data, known_keys(cls), PHASE_KEYS[LoadKind.TOOL])]
        found = found or [*matrix_faults(data)]
        if "tool" in data:
            yield from found or tool_faults(data)
            return
        data = with_levels(data)
        if not found:
            found = list(_exclusive_faults(data))
        if not found:
            found = list(_foreign_faults(data))
        if not found and not cls.has_unknown(data):
            found = [*_missing_faults(data), *_from_faults(data), *warmup_faults(data)]
        yield from found
        yield from mixed_stages(data.get("stages"))


def _faults_beside_use(data: Mapping[str, Any]) -> Iterator[Fault]:
    for key in data:
        if key != "use" and key in known_keys(PhaseModel):
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{key}` can't be combined with `use`",
                f"`use` runs phases as they are: change those of `{data['use']}`, or make this a "
                "phase of its own",
                key,
            )


def _kind_of(data: Mapping[str, Any]) -> LoadKind:
    if "search" in data:
        return LoadKind.SEARCH
    if "iterations" in data or "iterations_per_user" in data:
        return LoadKind.COUNTED
    return (
        LoadKind.OPEN
        if "rate" in data or level_key(data.get("stages")) == "rate"
        else LoadKind.CLOSED
    )


def _exclusive_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    order = list(data)
    for one, other, hint in _EXCLUSIVE:
        if one in data and other in data:
            first, second = sorted((one, other), key=order.index)
            yield Fault(
                Code.CONFLICTING_KEYS, f"`{second}` can't be combined with `{first}`", hint, second
            )
            return


def _foreign_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the keys that belong to another model of load than the phase has."""
    kind = _kind_of(data)
    allowed = PHASE_KEYS[kind]
    deciding = next((key for key in _DECIDING[kind] if key in data), "stages")
    for key in data:
        homes = [home for home in LoadKind if key in _KEYS[home]]
        if homes and key not in allowed:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{key}` can't be combined with `{deciding}`",
                _other_load(key, deciding)
                or f"`{key}` belongs to a phase with {_ARTICLE[homes[0]]}",
                key,
            )


def _other_load(key: str, deciding: str) -> str:
    """Return what to write where arrivals are to end after a number of iterations."""
    if key != "rate" or not deciding.startswith("iterations"):
        return ""
    return "arrivals end after a time: write `hold: 1m`; or let `users: 10` run the iterations"


_DECIDING: Final[Mapping[LoadKind, tuple[str, ...]]] = {  # a tool's phase has gone before
    LoadKind.CLOSED: ("users",),
    LoadKind.OPEN: ("rate",),
    LoadKind.COUNTED: ("iterations", "iterations_per_user"),
    LoadKind.SEARCH: ("search",),
}

_ARTICLE: Final[Mapping[LoadKind, str]] = {
    LoadKind.CLOSED: "`users` and `hold` (closed model)",
    LoadKind.OPEN: "`rate` and `hold` (open model)",
    LoadKind.COUNTED: "`users` and `iterations`",
    LoadKind.SEARCH: "`search`",
}


def _missing_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    kind = _kind_of(data)
    if kind is LoadKind.SEARCH or "stages" in data:
        return
    if kind is not LoadKind.OPEN and "users" not in data:
        yield Fault(
            Code.MISSING_KEY,
            "the phase does not say how much load to send",
            "add `users: 10`, `rate: 10/s`, or `stages:`",
        )
    elif kind is not LoadKind.COUNTED and "hold" not in data:
        yield Fault(Code.MISSING_KEY, "the phase does not say how long it lasts", _CLOSED_HINT)


def _from_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the level that a phase begins at."""
    if "from" not in data:
        return
    kind = "rate" if _kind_of(data) is LoadKind.OPEN else "users"
    if data.keys().isdisjoint({"stages", "ramp_up", "spawn_rate"}):
        yield Fault(
            Code.CONFLICTING_KEYS,
            f"`from` has no effect beside a constant `{kind}`",
            f"leave it out, or write `stages: [{{duration: 1m, {kind}: …}}]` to move from it",
            "from",
        )
    stages = data.get("stages")
    if isinstance(stages, list) and "from" in _first(stages):
        yield Fault(
            Code.CONFLICTING_KEYS,
            "the first stage has a `from` of its own",
            "keep one of them",
            "from",
        )
    yield from misfits("from", data["from"], kind, kind if kind in data else "stages")


def _first(stages: list[Any]) -> Mapping[str, Any]:
    return stages[0] if stages and isinstance(stages[0], dict) else {}


def _no_list(data: object) -> object:
    if isinstance(data, list):
        names = ", ".join(str(name) for name in data)
        raise error(
            Fault(
                Code.WRONG_TYPE,
                "a list does not say how many users each class has",
                f"write a number, `{{Class: 10}}`, or select with `only: {{users: [{names}]}}`",
            )
        )
    return data


def _level_shape(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<number>"


UserLevel = Annotated[
    Annotated[Count, Tag("<number>")]
    | Annotated[dict[str, Count], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_level_shape),
    BeforeValidator(_no_list),
]

RateLevel = Annotated[
    Annotated[RateField, Tag("<number>")]
    | Annotated[dict[str, RateField], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_level_shape),
    BeforeValidator(_no_list),
]
