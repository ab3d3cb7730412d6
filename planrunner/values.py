"""`@dataclass(frozen=True, slots=True)` at a quarter of the price.

The standard decorator writes six methods of each class as text and compiles them at every start. A
command that reads a plan imports a hundred such classes, and these cost more than reading the plan
does. Here methods are shared, and `__init__` is compiled when a class first gets an instance; what
a class does stays the same. See docs/adr/0012-cheap-values.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass  # type checkers know this name, and it means the same
else:
    import dataclasses

    def dataclass(cls=None, /, **options):  # noqa: ANN001, ANN003, ANN201 - declared above
        """Do as `dataclasses.dataclass` does."""
        if options == {"frozen": True, "slots": True}:
            return _make
        return dataclasses.dataclass(cls, **options)

    def _make(cls: type[T]) -> type[T]:
        own = dict(cls.__dict__)
        if not cls.__doc__:
            cls.__doc__ = cls.__name__  # or the standard decorator writes the signature here
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
        key = _key([field.name for field in fields(made) if field.compare])

        def equal(self: T, other: object) -> bool:
            if other.__class__ is not self.__class__:
                return NotImplemented
            return key(self) == key(other)

        methods = {
            "__init__": _init_when_called(made),
            "__repr__": _repr,
            "__eq__": equal,
            "__setattr__": _refuse_to_set,
            "__delattr__": _refuse_to_delete,
            "__getstate__": _state,
            "__setstate__": _set_state,
        }
        for name, method in methods.items():
            if name not in own:
                setattr(made, name, method)
        if own.get("__hash__") is None:  # a class body with `__eq__` has None there
            made.__hash__ = lambda self: hash(key(self))
        return made


def _key(names: list[str]) -> Callable[[Any], object]:
    """Return what gives the values that make an instance equal to another."""
    return attrgetter(*names) if names else lambda _: ()


def _init_when_called(made: type[Any]) -> Callable[..., None]:
    def __init__(self: object, *args: object, **named: object) -> None:  # noqa: N807 - takes its place
        init = _write_init(made)
        made.__init__ = init
        init(self, *args, **named)

    return __init__


def _write_init(made: type[Any]) -> Callable[..., None]:
    """Return the `__init__` that the standard decorator would have written."""
    # Each slot's own setter: `object.__setattr__` looks it up by name and takes thrice as long.
    scope: dict[str, Any] = {
        f"_put_{field.name}": getattr(made, field.name).__set__ for field in fields(made)
    }
    scope["_missing"] = MISSING
    given = [field for field in fields(made) if field.init]
    by_place = [_parameter(field, scope) for field in given if not field.kw_only]
    by_name = [_parameter(field, scope) for field in given if field.kw_only]
    parameters = ", ".join(["self", *by_place, *(["*", *by_name] if by_name else [])])
    body = [_assignment(field, scope) for field in fields(made)]
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n ".join(line for line in body if line) or "pass"
    exec(f"def __init__({parameters}):\n {lines}", scope)
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _parameter(field: Field[Any], scope: dict[str, Any]) -> str:
    if field.default is not MISSING:
        scope[f"_default_{field.name}"] = field.default
        return f"{field.name}=_default_{field.name}"
    return field.name if field.default_factory is MISSING else f"{field.name}=_missing"


def _assignment(field: Field[Any], scope: dict[str, Any]) -> str:
    name = field.name
    value = name if field.init else f"_default_{name}"
    if field.default_factory is not MISSING:
        scope[f"_make_{name}"] = field.default_factory
        value = (
            f"_make_{name}() if {name} is _missing else {name}" if field.init else f"_make_{name}()"
        )
    elif not field.init:
        if field.default is MISSING:
            return ""
        scope[f"_default_{name}"] = field.default
    return f"_put_{name}(self, {value})"


@recursive_repr()
def _repr(self: Any) -> str:  # noqa: ANN401 - of any class of values, here and below
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
