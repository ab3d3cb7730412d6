"""What a plan may write as a step, and as a list of steps with settings of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeAlias

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import (
    GUESTS,
    Fault,
    GuestBook,
    PlanMapping,
    guests,
    known_keys,
)
from planrunner.language.fields.types import (
    Duration,
    DurationRange,
    ExprField,
    Flag,
    PositiveInt,
    TextField,
    ValueField,
    VariableName,
)
from planrunner.language.foreign_words import STEP_WORDS
from planrunner.plan.models.actions import (
    CallField,
    ExecField,
    ForeachField,
    HttpScopeField,
    OnErrorField,
    PythonField,
)
from planrunner.plan.models.requests import (
    REQUEST_KEYS,
    VERBS,
    ActionBook,
    LoneRequest,
    Operation,
    RequestStep,
    actions_in,
)
from planrunner.plan.models.sharing import BarrierModel, PopField
from planrunner.plan.models.step_rules import (
    COMPANIONS,
    OWN_ACTIONS,
    STEP_SYNONYMS,
    inside_call,
    parallel_faults,
    sample_faults,
    step_faults,
)
from planrunner.protocols import registry
from planrunner.protocols.http.spec_expect import StepExpect

__all__ = ["BlockModel", "FlowModel", "GroupModel", "PollModel", "StepList", "StepModel"]


class PollModel(LoneRequest):
    """The request that is repeated until the reply is right."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The URL to GET.",
    }

    @classmethod
    def expand(cls, data: object) -> object:
        return {"get": data} if isinstance(data, str) else data


class ChoiceModel(PlanMapping):
    """One of several lists of steps, and how often it is taken."""

    synonyms: ClassVar[Mapping[str, str]] = {"steps": "do"}

    weight: PositiveInt = Field(
        1,
        description="How often it is taken, relative to the others; 1 or more.",
        examples=["3"],
    )
    do: StepList = Field(min_length=1, description="The steps to run.", examples=["[{get: /}]"])


class GroupModel(PlanMapping):
    """Steps of a protocol's group, which sends something before and after them."""

    synonyms: ClassVar[Mapping[str, str]] = {"steps": "do", "label": "name"}

    name: str | None = Field(
        None,
        min_length=1,
        description="The name of the group. Default the action.",
        examples=["order"],
    )
    on_error: OnErrorField | None = Field(
        None,
        description="What follows a group that failed, beside its being counted.",
        examples=["stop_iteration"],
    )
    do: StepList = Field(min_length=1, description="The steps to run.", examples=["[{get: /}]"])


_STEPS: Final = ActionBook(GroupModel)

if TYPE_CHECKING:
    StepGuests: TypeAlias = Mapping[str, Any]
else:
    StepGuests = guests(_STEPS)


class StepModel(RequestStep):
    """One step: exactly one action and its keys."""

    guest_book: ClassVar[GuestBook | None] = _STEPS

    synonyms: ClassVar[Mapping[str, str]] = STEP_SYNONYMS
    elsewhere: ClassVar[Mapping[str, str]] = STEP_WORDS

    operations: StepGuests | None = Field(None, alias=GUESTS)
    expect: StepExpect | None = Field(
        None,
        description="What makes it a success, beside what `http.expect` asks of all requests; "
        "`null` takes that away.",
        examples=["{status: 200, time: < 1s}"],
    )
    think: DurationRange | None = Field(
        None,
        description="Pause like a person: a time, a range, or a distribution.",
        examples=["1s..3s", "normal(2s, 500ms)"],
    )
    set_: dict[VariableName, ValueField] | None = Field(
        None,
        alias="set",
        min_length=1,
        description="Give names values.",
        examples=["{key: 'perf_${rand.text(10)}'}"],
    )
    push: dict[str, ValueField] | None = Field(
        None,
        min_length=1,
        description="Add to the end of a list of the user's, or of a pool.",
        examples=["{keys: '${key}'}", "{pool.orders: '${id}'}"],
    )
    pop: PopField | None = Field(
        None,
        description="Take an element out of a list; an empty list is a failure. Of a pool, `wait` "
        "says how long to wait for one.",
        examples=["{keys: random, as: key}", "{pool.orders: first, as: id, wait: 5s}"],
    )
    barrier: BarrierModel | None = Field(
        None,
        description="Wait until so many users are here, then go on together.",
        examples=["{name: sale, users: 10, timeout: 30s}"],
    )
    header: dict[str, TextField | None] | None = Field(
        None,
        min_length=1,
        description="Headers for the user's later requests; `null` removes one.",
        examples=["{Authorization: 'Bearer ${token}'}"],
    )
    group: str | None = Field(
        None,
        min_length=1,
        description="Time the steps of `do` together, under this name; pauses don't count.",
        examples=["checkout"],
    )
    on_error: OnErrorField | None = Field(
        None,
        description="With `group`: what a request in it that fails does beside being counted.",
        examples=["stop_iteration"],
    )
    do: StepList | None = Field(
        None, min_length=1, description="The steps to run.", examples=["[{get: /}]"]
    )
    if_: ExprField | None = Field(
        None,
        alias="if",
        description="Run `then` when this expression is true, else `else`.",
        examples=["json.total == 0"],
    )
    then: StepList | None = Field(
        None, min_length=1, description="With `if`: the steps to run.", examples=["[{get: /}]"]
    )
    else_: StepList | None = Field(
        None,
        alias="else",
        min_length=1,
        description="With `if`: the steps to run otherwise.",
        examples=["[{get: /help}]"],
    )
    choose: list[ChoiceModel] | None = Field(
        None,
        min_length=1,
        description="Run one of these lists of steps, drawn by weight.",
        examples=["[{weight: 3, do: [{get: /}]}, {weight: 1, do: [{get: /help}]}]"],
    )
    switch: ExprField | None = Field(
        None,
        description="Run the steps of `cases` that stand at the value of this expression.",
        examples=["json.plan"],
    )
    cases: dict[str, StepList] | None = Field(
        None,
        min_length=1,
        description="With `switch`: the steps for each value; those of `else` for all others.",
        examples=["{gold: [{get: /lounge}], else: [{get: /}]}"],
    )
    repeat: PositiveInt | None = Field(
        None, description="Run `do` this many times.", examples=["3", "${pages}"]
    )
    while_: ExprField | None = Field(
        None,
        alias="while",
        description="Run `do` as long as this expression is true.",
        examples=["json.next is defined"],
    )
    max: PositiveInt | None = Field(
        None,
        description="With `while`: the maximum number of rounds. Default 1000.",
        examples=["100"],
    )
    foreach: ForeachField | None = Field(
        None, description="Run `do` for each element of a list.", examples=["id in created"]
    )
    poll: PollModel | None = Field(
        None,
        description="Send a request again and again until `until` is true.",
        examples=["/jobs/${id}", "{post: /status, json: {id: '${id}'}}"],
    )
    every: Duration | None = Field(
        None, description="With `poll`: pause after each reply. Default 1s.", examples=["1s"]
    )
    parallel: StepList | None = Field(
        None,
        min_length=1,
        description="Send these requests at the same time and wait for all.",
        examples=["[{get: /a}, {get: /b}]"],
    )
    call: CallField | None = Field(
        None,
        description="Run the steps of a flow, with values of its `args`.",
        examples=["login", "{flow: login, role: admin}"],
    )
    exec_: ExecField | None = Field(
        None,
        alias="exec",
        description="Run a command. With `measure: true` it is a sample like a request.",
        examples=["./make-token.sh", "{run: ./make-token.sh, timeout: 10s, as: token}"],
    )
    python: PythonField | None = Field(
        None,
        description="Call a function: of the `hooks:` file, or `module:function`. With "
        "`measure: true` it is a sample like a request.",
        examples=["sign", "{call: 'components:ingest', args: {path: '${path}'}, as: loaded}"],
    )
    log: TextField | None = Field(
        None, description="Print a line; for debugging.", examples=["got ${status}"]
    )
    stop: Literal["iteration", "user", "phase", "plan"] | None = Field(
        None, description="End this iteration, user, phase or plan.", examples=["iteration"]
    )

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        if word in ("request", "url", "method", "http"):
            return "the verb is the key: `get: /path`"
        if word in registry.builtin() and not registry.builtin()[word].is_beside:
            action, example = next(iter(registry.builtin()[word].actions.items()))
            return f"the action is the key: `{action}: {example.example}`"
        return super().hint_unknown(word)

    @classmethod
    def hint_beside(cls, word: str, data: Mapping[Any, Any]) -> str:
        if word == "http" and "do" in data:
            return (
                "write it into the plan, a user class, a task or a flow: all requests below have it"
            )
        if inside := inside_call(word, data):
            return inside
        if (verb := word.rpartition(".")[2].lower()) in VERBS and "." in word:
            return f"the verb is the key: `{verb}: /path`"
        is_request = bool(actions_in(data))
        if is_request and word in ("on_fail", "on_failure", "on_error", "catch_response"):
            return "a class or a `group` says what a failure does: `on_error: stop_iteration`"
        if is_request and word == "match":
            return "write it into `expect`: `expect: {contains: welcome}`"
        return cls.hint_unknown(word)

    @classmethod
    def keys_beside(cls, data: Mapping[Any, Any]) -> Sequence[str]:
        """Return the keys beside the action that the step has, or all actions."""
        if actions_in(data):
            return [key for key in known_keys(cls) if key in REQUEST_KEYS]
        own = next((key for key in data if COMPANIONS.get(key)), None)
        return sorted(COMPANIONS[own]) if own else [*OWN_ACTIONS[:1], *OWN_ACTIONS[len(VERBS) :]]

    @property
    def action(self) -> str:
        """The word of the step's action, as the plan writes it."""
        if self.operations:
            return str(next(iter(self.operations)))
        return next(word for word, field in _FIELDS.items() if getattr(self, field) is not None)

    def _operation(self) -> Operation | None:
        for word, given in (("python", self.python), ("exec", self.exec_)):
            if given is not None:
                silent = self.measure in (None, False)
                plugin, target = registry.named(word), given.as_ or ""
                return Operation(word, plugin, self, StepModel, (), target, is_silent=silent)
        return None if self.protocol_group is not None else super()._operation()

    @cached_property
    def protocol_group(self) -> tuple[str, GroupModel] | None:
        """The action and steps of a protocol's group; None when it is none."""
        word, model = next(iter((self.operations or {}).items()), ("", None))
        return (word, model) if isinstance(model, GroupModel) else None

    def default_name(self, action: str) -> str:
        if self.python is not None:
            return self.python.call
        return super().default_name(action) if self.exec_ is None else self.exec_.run.source

    @property
    def called(self) -> str:
        """The flow that it calls; empty when it calls none."""
        return "" if self.call is None else self.call.flow

    def inside(self) -> Iterator[tuple[tuple[str | int, ...], Sequence[StepModel]]]:
        """Yield the lists of steps in it, each with the keys that lead there."""
        for key, steps in (
            ("do", self.do),
            ("then", self.then),
            ("else", self.else_),
            ("parallel", self.parallel),
        ):
            if steps:
                yield (key,), steps
        if self.protocol_group is not None:
            word, group = self.protocol_group
            yield (word, "do"), group.do
        for index, choice in enumerate(self.choose or ()):
            yield ("choose", index, "do"), choice.do
        for value, steps in (self.cases or {}).items():
            yield ("cases", value), steps

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from step_faults(data, has_unknown=cls.has_unknown(data))
        yield from super().find_faults(data)
        yield from parallel_faults(data.get("parallel"))
        yield from sample_faults(data)


_FIELDS: Final = {
    word: next(
        name for name, field in StepModel.model_fields.items() if (field.alias or name) == word
    )
    for word in OWN_ACTIONS
}


class FlowModel(PlanMapping):
    """A named list of steps that others call, with the arguments that it takes."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "array",
        "items": {"$model": StepModel},
        "markdownDescription": "The steps to run.",
    }

    synonyms: ClassVar[Mapping[str, str]] = {
        "params": "args",
        "arguments": "args",
        "with": "args",
        "steps": "do",
    }

    args: dict[VariableName, ValueField] | None = Field(
        None,
        description="Names that exist in the flow, with the values that they have unless a call "
        "gives others.",
        examples=["{role: buyer}"],
    )
    http: HttpScopeField | None = Field(
        None,
        description="What HTTP requests of the flow start from, over what holds where it is "
        "called.",
        examples=["{expect: {status: 200}, tags: {team: accounts}}"],
    )
    do: Annotated[list[StepModel], Field(min_length=1)] = Field(
        description="The steps to run.", examples=["[{post: /login}]"]
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"do": data} if isinstance(data, list) else data


class BlockModel(PlanMapping):
    """Steps at the start or end of something, with what happens when they fail."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "array",
        "items": {"$model": StepModel},
        "markdownDescription": "The steps to run.",
    }

    measure: Flag | None = Field(
        None,
        description="Whether its requests count in the results. Default false.",
        examples=["true"],
    )
    on_fail: Literal["stop_user", "stop_plan", "retry"] | None = Field(
        None,
        description="What happens when a step fails. Default stop_user.",
        examples=["stop_plan"],
    )
    do: Annotated[list[StepModel], Field(min_length=1)] = Field(
        description="The steps to run.", examples=["[{call: login}]"]
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"do": data} if isinstance(data, list) else data


StepList = list[StepModel]
