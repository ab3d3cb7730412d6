"""JMeter's variables and properties as the names of a plan.

User-defined variables and `__P` become params, columns of CSV files `${data.column}`. What samplers
set lives for an iteration in a plan, and as long as the thread in JMeter: names that are read
before they are set, or that may stay unset, are the class's `state`.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftParam, Keys
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Construct, SourcePlace
from planrunner.values import dataclass

__all__ = ["JmxNames", "JmxParams", "JmxValue", "JmxVariables", "is_secret", "quoted"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_SECRET: Final = re.compile(
    r"pass(?:word|wd|phrase)|secret|api_?key|access_?key|(?:^|_)pwd(?:$|_)|token$|jwt|bearer",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class JmxValue:
    """An expression of a plan that stands for one of JMeter's references.

    Attributes:
        kind: `text`, `int`, `bool`, or `any` for what a reply or a script gives.
        is_static: It reads params only, so it is known before the run.
    """

    code: str
    kind: str = "any"
    is_static: bool = False


def quoted(text: str) -> str:
    """Return text as a literal of an expression."""
    body = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "'" + body.replace("${", "$' ~ '{") + "'"


class JmxNames:
    """All names of a plan: each of JMeter's has one of the plan's, and no two have the same."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()

    def name(self, raw: str) -> str:
        """Return the plan's name for one of JMeter's; the same one where that is possible."""
        found = self._names.get(raw)
        if found is None:
            found = self.new(raw)
            self._names[raw] = found
        return found

    def has(self, raw: str) -> bool:
        """Say whether one of JMeter's names has one of the plan's."""
        return raw in self._names

    def new(self, wish: str) -> str:
        """Return a name that nothing else has."""
        is_usable = _NAME.fullmatch(wish) and identifier(wish) in (
            wish,
            identifier(f"x_{wish}")[2:],
        )
        found = wish if is_usable and wish not in self._taken else identifier(wish, self._taken)
        self._taken.add(found)
        return found


@dataclass(slots=True)
class JmxParams:
    """The params of a plan, and what `setup` sets for all users.

    Attributes:
        computed: Variables that are drawn as the test starts, by name of the plan.
        by_property: The param of each of JMeter's properties.
        shared: Properties that a setUp thread group sets, with the plan's names.
        unset: Params for properties that the test plan gives no value.
    """

    names: JmxNames
    params: dict[str, DraftParam] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)
    by_property: dict[str, str] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    unset: set[str] = field(default_factory=set)

    def add(self, raw: str, default: str | None, origin: SourcePlace | None) -> JmxValue:
        """Add a param, or return the one that there is."""
        name = self.names.name(raw)
        if name not in self.params:
            self.params[name] = DraftParam(_spec(raw, default), origin=origin)
        return self.value(name)

    def value(self, name: str) -> JmxValue:
        """Return what reads a param."""
        spec = self.params[name].spec
        kind = spec.get("type") if isinstance(spec, dict) else None
        return JmxValue(name, "int" if kind == "int" else "text", is_static=True)

    def property(self, raw: str, default: str | None, origin: SourcePlace | None) -> JmxValue:
        """Return what reads a property of the command line."""
        name = self.by_property.get(raw)
        if name is None:
            wish = raw
            while self.names.has(wish) and self.names.name(wish) not in self.params:
                wish = f"property {wish}"
            value = self.add(wish, default, origin)
            self.by_property[raw] = value.code
            return value
        return self.value(name)


def is_secret(name: str, value: str) -> bool:
    """Say whether a variable with this name holds a secret as it stands."""
    return bool(_SECRET.search(name)) and bool(value) and "${" not in value


def _spec(raw: str, default: str | None) -> Keys:
    if default is not None and is_secret(raw, default):
        return {"type": "str", "secret": True, "env": re.sub(r"\W+", "_", raw).upper()}
    if default is not None and _WHOLE.fullmatch(default):
        return {"type": "int", "default": int(default)}
    return {"type": "str"} if default is None else {"type": "str", "default": default}


@dataclass(slots=True)
class JmxVariables:
    """What one thread group knows, at the place that is being read.

    Attributes:
        setters: Names that something in the group sets, as JMeter writes them.
        columns: Names that a CSV file gives, with the expression that reads each.
        lists: Names that hold all matches of an extractor.
        locals: Names that loops around the place give.
        state: The class's, by name of the plan.
        threads: How many there are, if that is known.
        has_reply: A request stands before the place.
        is_setup: There is no user, so nothing of `user`, `iteration` and state.
        loops: How many loops are around the place.
        pending: What functions set before the step that is being read.
    """

    plan: JmxParams
    group: str
    setters: set[str] = field(default_factory=set)
    columns: dict[str, JmxValue] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    locals: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    state: Keys = field(default_factory=dict)
    threads: float | None = None
    has_reply: bool = False
    is_setup: bool = False
    loops: int = 0
    pending: list[tuple[str, str]] = field(default_factory=list)

    def drawn(self) -> dict[str, str]:
        """Return what functions have set since, as a step gives it to names."""
        found = {name: f"${{{code}}}" for name, code in self.pending}
        self.pending.clear()
        return found

    def set(self, raw: str, *, may_fail: bool = False) -> str:
        """Return the plan's name for what is set here; later steps know it."""
        name = self._own(raw)
        if may_fail and raw not in self.known:
            self._keep(raw, name)
        self.known.add(raw)
        self.setters.add(raw)
        return name

    def loop_name(self, raw: str) -> str:
        """Return the plan's name for what a loop gives; nothing else may have it."""
        names = self.plan.names
        is_taken = raw in self.setters or raw in self.columns or self._of_plan(raw) is not None
        return names.name(f"each {raw}" if is_taken or names.has(f"each {raw}") else raw)

    def find(self, raw: str) -> JmxValue | None:
        """Return what reads one of JMeter's variables; None if nothing ever sets it."""
        if raw in self.locals:
            return JmxValue(self.locals[raw])
        if raw in self.known or (raw in self.setters and raw not in self.columns):
            name = self._own(raw)
            if raw not in self.known:
                self._keep(raw, name)
                self.known.add(raw)
            return JmxValue(name)
        if raw in self.columns:
            return self.columns[raw]
        return self._of_plan(raw) or self._part(raw)

    def _of_plan(self, raw: str) -> JmxValue | None:
        """Return what reads a name that all users know."""
        if raw in self.plan.shared:
            return JmxValue(self.plan.shared[raw])
        name = self.plan.names.name(raw) if self.plan.names.has(raw) else ""
        if name in self.plan.params:
            return self.plan.value(name)
        return JmxValue(name) if name in self.plan.computed else None

    def _own(self, raw: str) -> str:
        """Return a name of the group's own: not one of a param or of a CSV file's."""
        name = self.plan.names.name(raw)
        if name in self.plan.params or name in self.plan.computed:
            return self.plan.names.name(f"{raw}_now")
        return name

    def _keep(self, raw: str, name: str) -> None:
        """Make a name the class's state, with the value that JMeter begins with."""
        first = self.plan.names.name(raw)
        initial: object = [] if raw in self.lists else ""
        if first != name and first in self.plan.params:
            initial = f"${{{first}}}"
        self.state.setdefault(name, initial)

    def _part(self, raw: str) -> JmxValue | None:
        """Return a part of what an extractor has found: `ids_1`, `ids_matchNr`, `id_g1`."""
        found = re.fullmatch(r"(.+)_(?:(matchNr)|g\d+|(\d{1,4}))", raw)
        if found is None or found[1] not in self.setters:
            return None
        whole = self.find(found[1])
        assert whole is not None
        if found[1] not in self.lists:
            return JmxValue(f"({whole.code} != '') | int", "int") if found[2] else whole
        if found[2]:
            return JmxValue(f"({whole.code} | length)", "int")
        if found[3]:
            return JmxValue(f"{whole.code}[{max(int(found[3]) - 1, 0)}]")
        return JmxValue(f"{whole.code}[0]")

    def unset(self, raw: str, construct: Construct) -> None:
        """Say that nothing sets a name."""
        construct.suspicious(f"nothing sets `${{{raw}}}`, so it is sent as it stands, as in JMeter")
