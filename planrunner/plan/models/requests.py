"""Requests of every protocol, as steps and alone: in `preflight`, `poll`, `parallel`.

HTTP's verbs are the language's own, with their keys beside them; the actions of all other protocols
are guests of a step, each with its keys below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import (
    GUESTS,
    Fault,
    Guest,
    GuestBook,
    PlanMapping,
    guests,
    in_words,
)
from planrunner.language.fields.text import Text
from planrunner.protocols import registry
from planrunner.protocols.base import Reply
from planrunner.protocols.http.spec import VERBS, Expect, RequestKeys, verbs_in
from planrunner.protocols.operation_model import RequestModel, TagsField
from planrunner.protocols.plugin import GroupAction, Plugin, Settings, resolve
from planrunner.values import dataclass

__all__ = [
    "CLASS_SETTINGS",
    "KEYS_OF_SAMPLES",
    "MEASURED_STEPS",
    "PLAN_SETTINGS",
    "REQUEST_KEYS",
    "STEP_KEYS",
    "VERBS",
    "ActionBook",
    "ClassGuests",
    "Expect",
    "LoneRequest",
    "Operation",
    "PlanGuests",
    "RequestStep",
    "TagsField",
    "actions_in",
    "is_request_word",
    "keys_outside",
    "misplaced",
    "request_words",
    "written_name",
]

REQUEST_KEYS: Final = frozenset(
    field.alias or name for name, field in RequestKeys.model_fields.items()
) - {*VERBS, "when"}
"""The keys that stand beside a verb."""

MEASURED_STEPS: Final = ("exec", "python")
"""The actions of the language that are samples, as requests are, with `measure: true`."""

KEYS_OF_SAMPLES: Final = ("expect", "record", "work", "unit")
"""Those that say something of a sample."""

STEP_KEYS: Final = frozenset({"name", "tags", "timeout", "measure", *KEYS_OF_SAMPLES})
"""The keys that stand beside these."""


class ActionBook:
    """Steps that protocols bring, and groups of steps where a mapping may have steps in it.

    Args:
        groups: What stands below the action of a group; None where there can be none.
    """

    def __init__(self, groups: type[PlanMapping] | None = None) -> None:
        self._groups = groups

    def words(self) -> Sequence[str]:
        return (*registry.action_words(), *(registry.group_words() if self._groups else ()))

    def has(self, word: str) -> bool:
        return registry.action(word) is not None or self._group(word) is not None

    def guest(self, word: str) -> Guest:
        group, found = self._group(word), registry.action(word)
        if self._groups is not None and group is not None:
            return Guest(self._groups, group.description, group.example)
        assert found is not None
        _, action = found
        return Guest(resolve(action.model), action.description, action.example)

    def _group(self, word: str) -> GroupAction | None:
        found = None if self._groups is None else registry.group(word)
        return None if found is None else found[1]


class _SettingsBook:
    """Settings that protocols bring, to a plan or to a user class."""

    def __init__(self, *, of_class: bool) -> None:
        self._of_class = of_class

    def words(self) -> Sequence[str]:
        return [name for name in registry.known() if registry.settings_key(name) is not None]

    def has(self, word: str) -> bool:
        # At the first level, `PlanModel` asks for other packages when steps need them.
        return registry.settings_key(word, ask_packages=self._of_class) is not None

    def guest(self, word: str) -> Guest:
        settings: Settings | None = registry.settings_key(word)
        assert settings is not None
        if self._of_class:
            about = (
                settings.class_description or "The same for this class; it overrides the plan's."
            )
            example = settings.class_example or settings.example
            return Guest(resolve(settings.model), about, example)
        return Guest(resolve(settings.model), settings.description, settings.example)


_ACTIONS: Final = ActionBook()
PLAN_SETTINGS: Final = _SettingsBook(of_class=False)
CLASS_SETTINGS: Final = _SettingsBook(of_class=True)

if TYPE_CHECKING:
    ActionGuests: TypeAlias = Mapping[str, Any]
    PlanGuests: TypeAlias = Mapping[str, Any]
    ClassGuests: TypeAlias = Mapping[str, Any]
else:
    ActionGuests = guests(_ACTIONS)
    PlanGuests = guests(PLAN_SETTINGS)
    ClassGuests = guests(CLASS_SETTINGS)


def request_words() -> tuple[str, ...]:
    """Return the actions that send one request: a task can be one, and `parallel` has them."""
    return (*VERBS, *registry.action_words())


def is_request_word(key: object) -> bool:
    """Say whether a key of a step is an action that sends one request."""
    return key in VERBS or (isinstance(key, str) and registry.action(key) is not None)


def actions_in(data: Mapping[Any, Any]) -> list[str]:
    """Return the keys of a step's data that make samples: requests, and what is measured.

    Guests may be gathered or not.
    """
    found, verbs = list[str](), verbs_in(data)
    for key in data:
        if key == GUESTS:
            found += data[GUESTS]
        elif key in VERBS:
            found += [key] if key in verbs else []
        elif is_request_word(key) or (key in MEASURED_STEPS and _is_measured(data)):
            found.append(key)
    return found


def _is_measured(data: Mapping[Any, Any]) -> bool:
    return data.get("measure") not in (None, False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of a plan, whatever its protocol.

    Attributes:
        action: Its word: `get`, `etcd.put`.
        spec: What the plan says of it.
        keys: The model whose keys are the request's.
        inside: Where these keys stand, below the step: `()` or `(action,)`.
        target: The name that gets its result, by `as` below the action; empty when none does.
        is_silent: It is a step that does something here, and isn't measured.
    """

    action: str
    plugin: Plugin
    spec: RequestModel
    keys: type[PlanMapping]
    inside: tuple[str, ...]
    target: str = ""
    is_silent: bool = False

    @property
    def name(self) -> str:
        """The series name: the plan's own as it is written, or that of the action."""
        return written_name(self.spec.name) or self.spec.default_name(self.action)

    @property
    def reply_names(self) -> Mapping[str, Callable[[Reply], object]]:
        """The names that its reply gives to expressions, beside those of every reply."""
        gives = self.plugin.gives_names
        return self.plugin.reply_names if gives is None or gives(self.spec) else {}

    @property
    def connection_use(self) -> str:
        """What it does with a connection that steps share: see `Action.connection`."""
        found = self.plugin.actions.get(self.action)
        return "" if found is None else found.connection

    @property
    def connection_name(self) -> str:
        """What the plan calls that connection; empty for the only one."""
        return getattr(self.spec, "on", None) or ""

    @property
    def extracted(self) -> Sequence[str]:
        """The names that it extracts."""
        return tuple(getattr(self.spec, "extract", None) or ())


def written_name(name: Text | None) -> str:
    """Return the name of a series, expressions as they are written; empty where there is none."""
    if name is None:
        return ""
    return name.source if name.plain is None else name.plain


class RequestStep(RequestKeys):
    """A mapping that may be a request: with a verb, or with the action of a protocol."""

    guest_book: ClassVar[GuestBook | None] = _ACTIONS

    operations: ActionGuests | None = Field(None, alias=GUESTS)

    @cached_property
    def operation(self) -> Operation | None:
        """The request that it is; None when it is none."""
        return self._operation()

    def _operation(self) -> Operation | None:
        if self.operations:
            word, spec = next(iter(self.operations.items()))
            found = registry.action(word)
            assert found is not None
            silent = found[1].is_step and spec.measure in (None, False)
            return Operation(word, found[0], spec, type(spec), (word,), is_silent=silent)
        verb = self.verb()
        if not verb:
            return None
        return Operation(verb, registry.own_verbs(), self, RequestKeys, ())


class LoneRequest(RequestStep):
    """A request of its own, as in `preflight` and `poll`."""

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        found = actions_in(data)
        word = "verb" if all(action in VERBS for action in found) else "action"
        for other in found[1:]:
            yield Fault(
                Code.ONE_ACTION,
                f"a request has one {word}, but this one has `{found[0]}` and `{other}`",
                "write a separate request",
                other,
            )
        if not found and not cls.has_unknown(data):
            yield Fault(Code.ONE_ACTION, "nothing says what to send", "add " + in_words(VERBS))
        if found and found[0] not in VERBS:
            yield from keys_outside(data, found[0])
        yield from super().find_faults(data)


def keys_outside(data: Mapping[Any, Any], action: str) -> Iterator[Fault]:
    """Yield the fault of each key of a verb that stands beside another protocol's action."""
    for key in data:
        if key in REQUEST_KEYS:
            yield misplaced(key, action)


def misplaced(key: str, action: str) -> Fault:
    """Return the fault of a key that stands beside an action whose keys all stand below it."""
    found = registry.action(action)
    model = None if found is None else resolve(found[1].model)
    takes = model is not None and key in {
        field.alias or name for name, field in model.model_fields.items()
    }
    hint = f"put it into `{action}:`" if takes else f"`{key}` belongs to {in_words(VERBS)}"
    return Fault(Code.CONFLICTING_KEYS, f"`{key}` can't be combined with `{action}`", hint, key)
