"""What a plan may write under `users:`: classes, and the tasks they pick from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import (
    GUESTS,
    Fault,
    GuestBook,
    PlanMapping,
    exactly_one,
    known_keys,
)
from planrunner.language.fields.types import (
    Duration,
    DurationRange,
    ExprField,
    PositiveInt,
    ValueField,
    VariableName,
)
from planrunner.language.foreign_words import USER_WORDS
from planrunner.plan.models.actions import HttpScopeField, OnErrorField
from planrunner.plan.models.requests import (
    CLASS_SETTINGS,
    ClassGuests,
    TagsField,
    actions_in,
    is_request_word,
)
from planrunner.plan.models.step_rules import OWN_ACTIONS
from planrunner.plan.models.steps import BlockModel, StepModel

__all__ = ["TASK_KEYS", "NeedsModel", "TaskModel", "UserModel"]


class NeedsModel(PlanMapping):
    """What must be true for a picked task to run, and what happens otherwise."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "$expression": True,
        "type": "string",
        "markdownDescription": "An expression; when it is not true the task is skipped, and "
        "counted.",
    }

    is_: ExprField = Field(alias="is", description="An expression.", examples=["workspace_id"])
    else_: str = Field(
        "skip",
        alias="else",
        min_length=1,
        description="`skip` the iteration, `repick` another task, or run the task named here.",
        examples=["create workspace"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"is": data} if isinstance(data, str) else data


_TASK_WORDS: Final = "task weight tags needs next timeout on_error http steps"
TASK_KEYS: Final = tuple(_TASK_WORDS.split())
"""The keys of a task; the others that its schema has are those of its one request."""

_SHORTHAND_KEYS: Final = ("weight", "tags", "needs", "next", "on_error", "http")
_TASK_ACTIONS: Final = frozenset(OWN_ACTIONS)
_TASK_OWN: Final = frozenset({"needs", "next", "timeout"})
_MEAN_STEPS: Final = frozenset({"do", "requests", "flow", "sequence"})


class TaskModel(PlanMapping):
    """A named, weighted list of steps; or one request with its weight."""

    synonyms: ClassVar[Mapping[str, str]] = {
        "name": "task",
        "then": "next",
        "transitions": "next",
        "followed_by": "next",
        **dict.fromkeys(("do", "requests", "flow", "sequence"), "steps"),
        "ratio": "weight",
    }

    task: str | None = Field(
        None,
        min_length=1,
        description="The task's name in results and thresholds.",
        examples=["put key"],
    )
    weight: PositiveInt = Field(
        1,
        description="How often it is picked, relative to the class's other tasks; 1 or more.",
        examples=["3"],
    )
    tags: TagsField | None = Field(
        None,
        description="Tags of all its samples; `--tag` and `only:` select by them.",
        examples=["[read]", "{area: search}"],
    )
    needs: NeedsModel | None = Field(
        None,
        description="What must be true for it to run; otherwise the pick is counted as skipped.",
        examples=["keys", "{is: workspace_id, else: create workspace}"],
    )
    next: dict[str, PositiveInt] | None = Field(
        None,
        min_length=1,
        description="The tasks that the user's next pick is drawn from once this one has run, "
        "with their weights. Default all tasks of the class.",
        examples=["{view cart: 3, log out: 1}"],
    )
    timeout: Duration | None = Field(
        None, description="The time limit for one run of the whole task.", examples=["30s"]
    )
    on_error: OnErrorField | None = Field(
        None,
        description="What a request of the task that fails does beside being counted. Default the "
        "class's.",
        examples=["stop_iteration"],
    )
    http: HttpScopeField | None = Field(
        None,
        description="What HTTP requests of the task start from, over what the class and the plan "
        "say.",
        examples=["{expect: {status: 200}, pause: 1s}"],
    )
    steps: list[StepModel] = Field(
        min_length=1, description="What the user does.", examples=["[{get: /}, {think: 1s}]"]
    )

    @cached_property
    def name(self) -> str:
        """The name in results: the plan's own, or that of the one request."""
        if self.task is not None:
            return self.task
        operation = self.steps[0].operation
        return "" if operation is None else operation.name

    @classmethod
    def expand(cls, data: object) -> object:
        if not isinstance(data, dict) or "task" in data or "steps" in data:
            return data
        is_request = any(key in _TASK_ACTIONS or is_request_word(key) for key in data)
        if not is_request and any(key in _MEAN_STEPS or key in _TASK_OWN for key in data):
            return data
        own = {key: data[key] for key in data if key in _SHORTHAND_KEYS or _means_task_key(key)}
        if "tags" in own and _is_of_request(own["tags"]):
            del own["tags"]
        return {**own, "steps": [{key: data[key] for key in data if key not in own}]}

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if "task" in data:
            if "steps" not in data and not cls.has_unknown(data):
                yield Fault(Code.MISSING_KEY, "the task has no steps", "add `steps:`", "task")
            return
        steps = data.get("steps")
        lone = steps[0] if isinstance(steps, list) and len(steps) == 1 else None
        if not isinstance(lone, dict) or not _may_be_request(lone):
            yield Fault(
                Code.MISSING_KEY,
                "the task has no name",
                "write `task: NAME` with `steps:`, or one request with its `weight`",
            )

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        if word not in cls.synonyms and word in known_keys(StepModel):
            return f"put it under `steps:`: `steps: [{{{word}: …}}]`"
        return super().hint_unknown(word)


def _may_be_request(step: Mapping[str, Any]) -> bool:
    """Say whether the step sends one request, or has a key that may be its verb, misspelt."""
    return bool(actions_in(step)) or StepModel.has_unknown(step)


def _means_task_key(key: object) -> bool:
    """Return whether an unknown key beside a request is nearest to one of the task's own."""
    known = known_keys(StepModel)
    if not isinstance(key, str) or key in known:
        return False
    nearest = suggest(key, [*known, *_SHORTHAND_KEYS])
    return any(nearest == suggest(own, [own]) for own in _SHORTHAND_KEYS if own not in known)


def _is_of_request(tags: object) -> bool:
    """Say whether tags stay with the request: its reply gives one, or one is taken away."""
    if not isinstance(tags, dict):
        return tags is None
    return any(value is None or "${" in str(value) for value in tags.values())


class UserModel(PlanMapping):
    """A kind of user: how many of them, how they pause, and what they do."""

    guest_book: ClassVar[GuestBook | None] = CLASS_SETTINGS

    synonyms: ClassVar[Mapping[str, str]] = {
        "wait_time": "wait",
        "think": "wait",
        "think_time": "wait",
        "pacing": "pace",
        "fixed_count": "count",
        "scenario": "steps",
        "flow": "steps",
        "setup": "on_start",
        "teardown": "on_stop",
        **dict.fromkeys(("requests", "sequence", "script"), "steps"),
        **dict.fromkeys(("cycle_time", "constant_pacing"), "pace"),
        **dict.fromkeys(("variables", "vars", "attributes"), "state"),
    }
    elsewhere: ClassVar[Mapping[str, str]] = USER_WORDS

    weight: PositiveInt | None = Field(
        None,
        description="Share of the phase's users, relative to the other classes; 1 or more. "
        "Default 1.",
        examples=["80"],
    )
    count: PositiveInt | None = Field(
        None,
        description="Exactly this many users instead of a share; if every class has a `count`, "
        "phases need no `users`.",
        examples=["1"],
    )
    wait: DurationRange | None = Field(
        None,
        description="Pause after each iteration. Default none.",
        examples=["1s..3s", "exponential(2s)"],
    )
    pace: Duration | None = Field(
        None,
        description="Time from one iteration's start to the next one's; an overrun starts at "
        "once and counts as late.",
        examples=["10s"],
    )
    session: Literal["user", "iteration"] | None = Field(
        None,
        description="What a visitor with cookies, headers, tokens and state of its own is: the "
        "user, for its whole life, or each iteration, with `on_start` and `on_stop` around it. "
        "Default `user`; in open phases each arrival is a visitor with a session of its own, "
        "unless the class has an `on_start`.",
        examples=["iteration"],
    )
    state: dict[VariableName, ValueField] | None = Field(
        None,
        description="Names that live as long as the session, with their first values.",
        examples=["{keys: []}"],
    )
    protocols: ClassGuests | None = Field(None, alias=GUESTS)
    tags: TagsField | None = Field(
        None, description="Tags of all samples of this class.", examples=["[admin]"]
    )
    on_start: BlockModel | None = Field(
        None,
        description="What each user does first; not measured unless it says so.",
        examples=["[{call: login}]"],
    )
    tasks: list[TaskModel] | None = Field(
        None,
        min_length=1,
        description="One of them is picked by weight for each iteration.",
        examples=["[{get: /, weight: 3}, {get: /docs}]"],
    )
    steps: list[StepModel] | None = Field(
        None,
        min_length=1,
        description="A fixed list instead of tasks: one pass is one iteration.",
        examples=["[{get: /}, {think: 1s}, {get: /docs}]"],
    )
    on_stop: BlockModel | None = Field(
        None,
        description="What each user does last, if its `on_start` succeeded.",
        examples=["[{post: /logout}]"],
    )
    on_error: OnErrorField | None = Field(
        None,
        description="What a request that fails does beside being counted: the user continues, or "
        "begins its next iteration, or stops. Default continue.",
        examples=["stop_iteration"],
    )
    pick: Literal["random", "balanced"] = Field(
        "random",
        description="Pick tasks at random, or in an order that keeps the shares at any time.",
        examples=["balanced"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, ("tasks", "steps"), "what the users do")
        for one, other, why in (
            ("weight", "count", "a class has either a share of the users or an exact number"),
            ("wait", "pace", "`wait` pauses after an iteration, `pace` spaces their starts"),
        ):
            if one in data and other in data:
                later = max(one, other, key=list(data).index)
                earlier = other if later == one else one
                yield Fault(
                    Code.CONFLICTING_KEYS,
                    f"`{later}` can't be combined with `{earlier}`",
                    why,
                    later,
                )
