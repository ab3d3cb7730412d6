"""What a piece of a script is worth: known beforehand, or an expression of the plan."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.javascript.script import Script
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Construct, SourcePlace

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = [
    "ALWAYS",
    "MOST_ITEMS",
    "UNDEFINED",
    "JsArray",
    "JsBranch",
    "JsClass",
    "JsConst",
    "JsEnv",
    "JsExpr",
    "JsFile",
    "JsFunction",
    "JsMark",
    "JsMetric",
    "JsNative",
    "JsObject",
    "JsOp",
    "JsPart",
    "JsReply",
    "JsRows",
    "JsSpan",
    "JsStore",
    "JsText",
    "JsUnknown",
    "JsValue",
    "K6Module",
    "K6Scope",
    "Variable",
    "plain",
]


class JsValue:
    """What an expression of a script gives."""


@dataclass(slots=True, eq=False)
class JsConst(JsValue):
    """A text, a number, true, false, or nothing."""

    value: str | int | float | bool | None


UNDEFINED: Final = JsConst(None)


@dataclass(slots=True, eq=False)
class JsExpr(JsValue):
    """An expression of the plan.

    Attributes:
        kind: `text`, `number`, `bool`, `clock`, or empty where that isn't known.
        draws: It gives something else each time: it is set once, and read by its name.
        unset: What it is where nobody sets a variable of the environment; None if not known.
        sent: Of a clock: how many requests had been sent when it was read.
        began: Of a clock: the steps that were being written, and how many there were.
    """

    text: str
    kind: str = ""
    draws: bool = False
    unset: JsValue | None = None
    sent: int = 0
    began: tuple[list[DraftStep], int] | None = None


@dataclass(slots=True, eq=False)
class JsBranch:
    """When a branch runs.

    Attributes:
        test: The condition that holds then.
        statement: That splits: branches of the same one exclude each other.
    """

    test: JsValue
    statement: int = 0


ALWAYS: Final = JsBranch(JsConst(value=True))


@dataclass(slots=True, eq=False)
class JsMark:
    """A value of a metric that is a tag: under which conditions, and as an expression."""

    when: list[JsBranch]
    tests: list[str]
    said: str


@dataclass(slots=True, eq=False)
class JsSpan(JsValue):
    """The time of several steps that follow each other in a list."""

    steps: list[DraftStep]
    first: int
    last: int


@dataclass(slots=True, eq=False)
class JsEnv(JsValue):
    """A variable of the environment, as it stands."""

    name: str


@dataclass(slots=True, eq=False)
class JsFile(JsValue):
    """The content of a file; `kind` is what it was read as: `text`, `json`, `csv`."""

    name: str
    kind: str = "text"


@dataclass(slots=True, eq=False)
class JsOp(JsValue):
    """An operation on values of which at least one isn't known beforehand."""

    sign: str
    operands: list[JsValue]
    unset: JsValue | None = None


@dataclass(slots=True, eq=False)
class JsText(JsValue):
    """Texts and values, one after the other."""

    parts: list[JsValue]
    unset: JsValue | None = None


@dataclass(slots=True, eq=False)
class JsObject(JsValue):
    """An object.

    Attributes:
        made_by: The class of it, for its methods.
        depth: How deep in branches and loops it was made.
        name: Of the plan, where it is changed in branches.
    """

    entries: dict[str, JsValue] = field(default_factory=dict)
    made_by: JsClass | None = None
    depth: int = 0
    name: str = ""


@dataclass(slots=True, eq=False)
class JsArray(JsValue):
    """A list; `name` is that of the plan, where it is changed in branches."""

    items: list[JsValue] = field(default_factory=list)
    depth: int = 0
    name: str = ""


@dataclass(slots=True, eq=False)
class JsReply(JsValue):
    """The reply to a request.

    Attributes:
        step: Of the request, or of the message that is awaited.
        steps: The list that the step is in.
        extracted: The plan's names of its parts.
        marks: What sets its tags, by tag.
        action: Of the step, where its keys stand inside: `ws.receive`; empty for HTTP.
        is_beside: It is one of several requests side by side, after which no step can stand.
        others: Replies of which it may be one as well, because a branch decides.
    """

    step: DraftStep
    steps: list[DraftStep]
    extracted: dict[tuple[object, ...], str] = field(default_factory=dict)
    marks: dict[str, list[JsMark]] = field(default_factory=dict)
    action: str = ""
    is_beside: bool = False
    others: list[JsReply] = field(default_factory=list)

    @property
    def each(self) -> list[JsReply]:
        """All replies that it may be."""
        return [self, *self.others]

    def either(self, before: JsReply) -> JsReply:
        """Return a reply that is this one or, where its branch does not run, one from before."""
        others = [one for one in before.each if one.steps is not self.steps]
        if not others:
            return self
        return replace(self, extracted={}, marks={}, others=[*self.others, *others])

    @property
    def body(self) -> Keys:
        """The keys of the request, those beside its method or inside its action."""
        if not self.action:
            return self.step.body
        found = self.step.body[self.action]
        assert isinstance(found, dict), "written so"
        return found


@dataclass(slots=True, eq=False)
class JsPart(JsValue):
    """A part of a reply, by its kind: `json` with a path, `status`, `body`, `header`, `time`.

    Of `html`, `query` and `first` the path is a CSS selector, or a JSONPath, as it stands.
    """

    reply: JsReply
    kind: str
    path: tuple[str | int, ...] = ()


@dataclass(slots=True, eq=False)
class JsFunction(JsValue):
    """A function of the script, where it was written."""

    node: Node
    scope: K6Scope
    this: JsValue | None = None


@dataclass(slots=True, eq=False)
class JsClass(JsValue):
    """A class of the script."""

    name: str
    methods: dict[str, JsFunction]
    fields: list[tuple[str, Node]]
    statics: dict[str, JsValue]
    scope: K6Scope
    above: JsClass | None = None

    def method(self, name: str, depth: int = 0) -> JsFunction | None:
        """Return a method, its own or one of the classes above."""
        if name in self.methods or self.above is None or depth > 20:
            return self.methods.get(name)
        return self.above.method(name, depth + 1)


@dataclass(slots=True, eq=False)
class JsNative(JsValue):
    """Something of k6 or JavaScript itself, by its path: `http.get`, `Math.random`.

    Attributes:
        of: What it is a method of.
    """

    path: str
    of: JsValue | None = None


@dataclass(slots=True, eq=False)
class JsMetric(JsValue):
    """A metric of the script: `Trend`, `Rate`, `Counter`, `Gauge`."""

    kind: str
    name: str


@dataclass(slots=True, eq=False)
class JsRows(JsValue):
    """The rows of a data source.

    Attributes:
        name: Of the source; `spec` is what the plan says of it.
    """

    name: str
    spec: dict[str, object]
    columns: set[str] = field(default_factory=set)


class JsStore(JsValue):
    """An object whose keys are names of the plan: other tools give scripts one."""

    def read(self, key: str) -> JsValue:
        """Return what a key is worth now."""
        raise NotImplementedError

    def write(self, key: str, value: JsValue, node: Node, scope: K6Scope) -> JsValue:
        """Give a key a value; returns it as it is read from now on."""
        raise NotImplementedError


@dataclass(slots=True, eq=False)
class JsUnknown(JsValue):
    """What a plan can't say, and why.

    Attributes:
        is_mistake: Of the original: it fails there, too.
    """

    why: str
    is_mistake: bool = False


@dataclass(slots=True, eq=False)
class Variable:
    """A name and what it is worth now.

    Attributes:
        depth: How deep in branches and loops it was declared.
        name: Of the plan, once it is set in branches.
        is_global: It was declared at the first level of a module.
        of_setup: `setup` gave it its value, which no VU sees.
    """

    value: JsValue
    depth: int = 0
    name: str = ""
    is_global: bool = False
    of_setup: bool = False


@dataclass(slots=True, eq=False)
class K6Scope:
    """The names of a block, a function or a module."""

    module: K6Module
    above: K6Scope | None = None
    names: dict[str, Variable] = field(default_factory=dict)
    this: JsValue | None = None

    def find(self, name: str) -> Variable | None:
        """Return what a name means here."""
        scope: K6Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.above
        return None

    def own(self) -> JsValue | None:
        """Return `this`."""
        scope: K6Scope | None = self
        while scope is not None:
            if scope.this is not None:
                return scope.this
            scope = scope.above
        return None

    def inner(self, this: JsValue | None = None) -> K6Scope:
        """Return an empty scope within this one."""
        return K6Scope(self.module, self, this=this)


@dataclass(slots=True, eq=False)
class K6Module:
    """A file of the script.

    Attributes:
        exports: What others get from it, `default` among them.
        calls: The construct of each call, by where it begins and ends.
        is_main: It was given, and isn't only imported.
    """

    file: SourceFile
    script: Script
    is_main: bool
    exports: dict[str, JsValue] = field(default_factory=dict)
    calls: dict[tuple[int, int], Construct] = field(default_factory=dict)
    scope: K6Scope = field(init=False)
    _starts: list[int] = field(default_factory=list)
    _spans: list[tuple[tuple[int, int], Construct]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scope = K6Scope(self)

    def place(self, node: Node) -> SourcePlace:
        """Return where a node begins."""
        return self.script.place(node)

    def construct(self, node: Node) -> Construct | None:
        """Return the construct of a call."""
        return self.calls.get((node.start_byte, node.end_byte))

    def within(self, *nodes: Node) -> Iterator[Construct]:
        """Yield the constructs of the calls in some code."""
        if not self._starts:
            self._starts = [start for start, _ in self.calls]
            self._spans = list(self.calls.items())
        spans = self._spans
        for node in nodes:
            first = bisect_left(self._starts, node.start_byte)
            last = bisect_left(self._starts, node.end_byte)
            yield from (one for (_, end), one in spans[first:last] if end <= node.end_byte)


MOST_ITEMS: Final = 20_000
"""Items that a list may have which is known beforehand."""

PlainJs = Any
_DEEPEST: Final = 60


def plain(value: JsValue, *, unset: bool = False, depth: int = 0) -> PlainJs:
    """Return a value that is known beforehand as Python has it.

    Args:
        value: Of the script.
        unset: Take what variables of the environment are where nobody sets them.
        depth: How deep in lists and objects it is.

    Raises:
        LookupError: It isn't known beforehand.
    """
    if depth > _DEEPEST:
        raise LookupError
    match value:
        case JsConst(value=known):
            return known
        case JsArray(name="", items=items):
            return [plain(one, unset=unset, depth=depth + 1) for one in items]
        case JsObject(name="", entries=entries):
            return {key: plain(one, unset=unset, depth=depth + 1) for key, one in entries.items()}
        case JsEnv() if unset:
            return None
        case JsExpr(unset=JsValue() as known) | JsOp(unset=JsValue() as known) if unset:
            return plain(known, unset=unset, depth=depth + 1)
        case JsText(unset=JsValue() as known) if unset:
            return plain(known, unset=unset, depth=depth + 1)
        case _:
            raise LookupError
