"""`@dataclass(slots=True)`, frozen or not, at a tenth of the price.

The standard decorator looks at each field, and writes six methods of each class as text that it
compiles at every start. A command that reads a plan imports two hundred such classes, and makes few
instances of most; these cost more than reading the plan does. Here a class is made once more, with
its slots and methods that it shares with others. `__init__` is compiled when a class has had a few
instances, and what compares them when two are compared; what the standard module knows of a class
is worked out when somebody asks. What a class does stays the same.

See docs/adr/0012-cheap-values.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, field, fields
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass  # type checkers know this name, and it means the same
else:

    def dataclass(cls=None, /, **options):  # noqa: ANN001, ANN003, ANN201 - declared above
        """Do as `dataclasses.dataclass` does."""
        if options.get("slots") and options.keys() <= {"frozen", "slots", "eq"}:
            return lambda cls: _make(cls, options.get("frozen", False), options.get("eq", True))
        return dataclasses.dataclass(cls, **options)

    def _make(cls: type[T], is_frozen: bool, has_eq: bool) -> type[T]:  # noqa: FBT001 - one call
        body = dict(vars(cls))
        own = {
            name: body.pop(name, MISSING)
            for name, kind in cls.__annotations__.items()
            if not str(kind).removeprefix("typing.").startswith("ClassVar")
        }
        bases = [vars(base) for base in reversed(cls.__mro__[1:])]
        given = {}
        for base in bases:
            given |= base.get("__given__", None) or base.get("__dataclass_fields__", {})
        given |= own
        inherited = {name for base in bases for name in base.get("__slots__", ())}
        for name in ("__dict__", "__weakref__"):  # which slots replace
            body.pop(name, None)
        if body.get("__hash__") is None and is_frozen:  # a body with `__eq__` has None there
            body.pop("__hash__", None)
        methods = _Methods(is_frozen)
        made = type(cls)(
            cls.__name__,
            cls.__bases__,
            {
                **methods.all(has_eq),
                **body,
                "__doc__": cls.__doc__ or cls.__name__,
                "__qualname__": cls.__qualname__,
                "__slots__": tuple(name for name in own if name not in inherited),
                "__match_args__": tuple(name for name, how in given.items() if _by_place(how)),
                "__given__": given,
                "__dataclass_fields__": _Standard(),
                "__dataclass_params__": _Standard(),
            },
        )
        methods.made = made
        return made


_FEW: Final = 3
"""Instances of a class that are made before its `__init__` is compiled, which takes longer."""


class _Methods:
    """The methods of a class that depend on its fields, until they are needed."""

    made: Any

    def __init__(self, is_frozen: bool) -> None:  # noqa: FBT001 - one call
        self._count = 0
        self.is_frozen = is_frozen

    def all(self, has_eq: bool) -> dict[str, Callable[..., Any] | None]:  # noqa: FBT001 - one call
        """Return every method, of which the class takes those that its body lacks."""

        def __init__(self: object, *args: object, **named: object) -> None:  # noqa: N807 - takes its place
            methods.begin(self, args, named)

        def __eq__(self: object, other: object) -> bool:  # noqa: N807 - as above
            methods.compile_key()
            return self == other

        def __hash__(self: object) -> int:  # noqa: N807 - as above
            methods.compile_key()
            return hash(self)

        methods = self
        self._waiting: dict[str, Callable[..., Any] | None] = {}
        if has_eq:
            self._waiting = {"__eq__": __eq__, "__hash__": __hash__ if self.is_frozen else None}
        shared = _OF_FROZEN if self.is_frozen else {}
        return {"__init__": __init__, "__repr__": _repr, **self._waiting, **shared}

    def begin(self, instance: object, args: tuple[object, ...], named: dict[str, object]) -> None:
        """Give an instance its values."""
        self._count += 1
        if self._count <= _FEW and _has_filled(self.made, instance, args, named):
            return
        self.made.__init__ = _write_init(self.made, self.is_frozen)
        self.made.__init__(instance, *args, **named)

    def compile_key(self) -> None:
        """Put what compares and hashes instances into the class."""
        given = self.made.__given__.items()
        names = [name for name, how in given if not isinstance(how, Field) or how.compare]
        key: Callable[[object], object] = attrgetter(*names) if names else lambda _: ()

        def __eq__(self: object, other: object) -> bool:  # noqa: N807 - as above
            if other.__class__ is not self.__class__:
                return NotImplemented
            return key(self) == key(other)

        compiled = {"__eq__": __eq__, "__hash__": lambda self: hash(key(self))}
        for name, waiting in self._waiting.items():
            if waiting is not None and vars(self.made)[name] is waiting:
                setattr(self.made, name, compiled[name])


class _Standard:
    """What the standard module says of a class, worked out when it is asked for."""

    def __set_name__(self, made: type, name: str) -> None:
        self._made = made
        self._name = name

    def __get__(self, _instance: object, _class: object) -> object:
        made: Any = self._made
        kinds: dict[str, Any] = {}
        for base in reversed(made.__mro__):
            kinds |= getattr(base, "__annotations__", {})
        body = {name: how for name, how in made.__given__.items() if how is not MISSING}
        body["__annotations__"] = {name: kinds[name] for name in made.__given__}
        body |= {"__module__": made.__module__, "__doc__": made.__doc__}
        alike = type(made.__name__, (), body)
        is_frozen = self._name == "__dataclass_params__" and made.__setattr__ is _refuse_to_set
        alike = dataclasses.dataclass(init=False, repr=False, eq=False, frozen=is_frozen)(alike)
        said: object = getattr(alike, self._name)
        setattr(made, self._name, said)
        return said


def _as_field(how: object) -> Field[Any]:
    """Return what `field` says of a value, or would."""
    if isinstance(how, Field):
        return how
    plain: Any = how
    made: Field[Any] = field(default=plain)
    return made


def _by_place(how: object) -> bool:
    """Say whether an argument may be given by its place."""
    return not isinstance(how, Field) or (how.init and how.kw_only is not True)


def _has_filled(
    made: Any,  # noqa: ANN401 - of any class of values, here and below
    instance: Any,  # noqa: ANN401 - as above
    args: tuple[object, ...],
    named: dict[str, object],
) -> bool:
    """Give an instance its values; say whether it has all, and no argument was left."""
    places = made.__match_args__
    if len(args) > len(places) or not named.keys().isdisjoint(places[: len(args)]):
        return False
    values = {**dict(zip(places, args, strict=False)), **named}
    for name, plain in made.__given__.items():
        how = _as_field(plain)
        if how.init and name in values:
            value = values.pop(name)
        else:
            value = how.default if how.default_factory is MISSING else how.default_factory()
        if value is not MISSING:
            object.__setattr__(instance, name, value)
        elif how.init:
            return False
    if values:
        return False
    if hasattr(made, "__post_init__"):
        instance.__post_init__()
    return True


def _write_init(made: Any, is_frozen: bool) -> Callable[..., None]:  # noqa: ANN401, FBT001 - as above
    """Return the `__init__` that the standard decorator would have written."""
    hows = {name: _as_field(how) for name, how in made.__given__.items()}
    # Each slot's own setter: `object.__setattr__` looks it up by name and takes thrice as long.
    scope: dict[str, Any] = {f"_put_{name}": getattr(made, name).__set__ for name in hows}
    scope["_missing"] = MISSING
    given = {name: how for name, how in hows.items() if how.init}
    by_place = [_parameter(name, how, scope) for name, how in given.items() if _by_place(how)]
    by_name = [_parameter(name, how, scope) for name, how in given.items() if not _by_place(how)]
    parameters = ", ".join(["self", *by_place, *(["*", *by_name] if by_name else [])])
    put = "_put_{0}(self, {1})" if is_frozen else "self.{0} = {1}"
    values = {name: _value(name, how, scope) for name, how in hows.items()}
    body = [put.format(name, value) for name, value in values.items() if value]
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n ".join(body) or "pass"
    exec(f"def __init__({parameters}):\n {lines}", scope)
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _parameter(name: str, how: Field[Any], scope: dict[str, Any]) -> str:
    if how.default is not MISSING:
        scope[f"_default_{name}"] = how.default
        return f"{name}=_default_{name}"
    return name if how.default_factory is MISSING else f"{name}=_missing"


def _value(name: str, how: Field[Any], scope: dict[str, Any]) -> str:
    value = name if how.init else f"_default_{name}"
    if how.default_factory is not MISSING:
        scope[f"_make_{name}"] = how.default_factory
        value = (
            f"_make_{name}() if {name} is _missing else {name}" if how.init else f"_make_{name}()"
        )
    elif not how.init:
        if how.default is MISSING:
            return ""
        scope[f"_default_{name}"] = how.default
    return value


@recursive_repr()
def _repr(self: Any) -> str:  # noqa: ANN401 - as above
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:  # noqa: ANN401
    return [get(self) for get, _ in _places(self.__class__)]


def _set_state(self: Any, state: list[object]) -> None:  # noqa: ANN401
    for (_, put), value in zip(_places(self.__class__), state, strict=True):
        put(self, value)


@cache
def _places(made: type[Any]) -> list[tuple[Callable[..., object], Callable[..., None]]]:
    """Return what reads and what writes each field: workers send hundreds of values a second."""
    slots = [getattr(made, field.name) for field in fields(made)]
    return [(slot.__get__, slot.__set__) for slot in slots]


_OF_FROZEN: Final[Mapping[str, Callable[..., Any]]] = {
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _state,
    "__setstate__": _set_state,
}
