"""The base of every mapping a plan can hold: unknown keys, empty values and rules between keys.

A mapping that is right is read here, key by key, with what the types of its fields say
(`language.fields.reading`). When anything may be wrong, pydantic is imported and decides
(`language.fields.judged`): it gives all that is wrong, and the words for it.

The type of a field is looked into when a plan first has its key: the language has hundreds, most
plans use twenty, and looking into all takes as long as checking a thousand lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Protocol,
    Self,
)

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import DeclaredField, declared_fields
from planrunner.language.fields.key_hints import as_spelt_here
from planrunner.language.fields.reading import QuickReader, Unsure, read_or_known, reader_of
from planrunner.values import dataclass

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, PydanticCustomError, ValidationError

__all__ = [
    "GUESTS",
    "Fault",
    "Guest",
    "GuestBook",
    "PlanMapping",
    "error",
    "exactly_one",
    "guests",
    "in_words",
    "invalid",
    "known_keys",
    "later",
    "mapping_with",
    "names_of",
    "takes",
    "value_of",
    "with_guests_gathered",
]

GUESTS: Final = "<\0guests>"
"""Where a mapping's guest keys are gathered before they are read; no YAML text has a NUL."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a mapping, and at which of its keys.

    Attributes:
        key: The offending key; empty when the mapping as a whole is at fault.
        path: Where the mapping with that key is, below the one that found the fault.
    """

    code: Code
    message: str
    hint: str = ""
    key: str = ""
    path: tuple[str | int, ...] = ()


def error(fault: Fault, **more: object) -> PydanticCustomError:
    """Return `fault` as the error that validators raise; `type` is the diagnostic's code."""
    from pydantic_core import PydanticCustomError  # noqa: PLC0415 - most plans have no faults

    context = {"message": fault.message, "hint": fault.hint, "key": fault.key, **more}
    return PydanticCustomError(fault.code.value, "{message}", context)


@dataclass(frozen=True, slots=True)
class Guest:
    """A key that others bring to a mapping.

    Attributes:
        mapping: What stands below it.
        example: A value of it, in YAML's flow style.
    """

    mapping: type[PlanMapping]
    description: str
    example: str


class GuestBook(Protocol):
    """The keys that others bring to a mapping: steps and settings of protocols."""

    def words(self) -> Sequence[str]:
        """Return the keys that are known now, for editors and suggestions."""

    def has(self, word: str) -> bool:
        """Say whether `word` is such a key; this may look for others than those known now."""

    def guest(self, word: str) -> Guest:
        """Return what `word`, which is such a key, brings."""


@cache
def _own_keys(mapping: type[PlanMapping]) -> Mapping[str, str]:
    return {key: name for key, name in names_of(mapping).items() if key != GUESTS}


def known_keys(mapping: type[PlanMapping]) -> Mapping[str, str]:
    """Return the keys a plan can write in `mapping`, each with the name of its field."""
    book: GuestBook | None = getattr(mapping, "guest_book", None)
    return _own_keys(mapping) if book is None else _all_keys(mapping, tuple(book.words()))


@cache
def _all_keys(mapping: type[PlanMapping], guests: tuple[str, ...]) -> Mapping[str, str]:
    name = next(name for name, field in mapping.model_fields.items() if field.alias == GUESTS)
    return {**_own_keys(mapping), **dict.fromkeys(guests, name)}


@cache
def names_of(mapping: type[PlanMapping]) -> Mapping[str, str]:
    """Return the field of each key, the guests' under `GUESTS`."""
    return {field.alias or name: name for name, field in mapping.model_fields.items()}


@cache
def _left_out(mapping: type[PlanMapping]) -> tuple[Mapping[str, object], frozenset[str]]:
    """Return what fields are when their keys are left out, and those that can't be."""
    fields = mapping.model_fields.items()
    usual = {name: field.absent() for name, field in fields if not field.is_required()}
    return usual, frozenset(mapping.model_fields.keys() - usual)


def takes(mapping: type[PlanMapping], key: object) -> bool:
    """Say whether a mapping can have this key, or what stands for its guests."""
    book = mapping.guest_book
    return (
        key in _own_keys(mapping)
        or key == GUESTS
        or (book is not None and isinstance(key, str) and book.has(key))
    )


def with_guests_gathered(mapping: type[PlanMapping], data: dict[Any, Any]) -> dict[Any, Any]:
    """Put the keys of guests under `GUESTS`, in the place of the first; null ones stay."""
    book, own = mapping.guest_book, _own_keys(mapping)
    if book is None or data.keys() <= own.keys():
        return data
    gathered: dict[Any, Any] = {}
    for key, value in data.items():
        is_guest = key not in own and value is not None and isinstance(key, str) and book.has(key)
        if is_guest:
            gathered.setdefault(GUESTS, {})[key] = value
        else:
            gathered[key] = value
    return gathered


def _pydantics() -> Any:  # noqa: ANN401 - a module
    """Return what asks pydantic about mappings: few plans need it, and it knows these."""
    return import_module("planrunner.language.fields.judged")


def _plain_schema(read: Callable[[Any], Any]) -> CoreSchema:
    from pydantic_core import core_schema  # noqa: PLC0415 - only where pydantic is asked

    return core_schema.no_info_plain_validator_function(read)


def invalid() -> type[ValidationError]:
    """Return what mappings raise; only who catches one imports it."""
    from pydantic_core import ValidationError  # noqa: PLC0415 - as above

    return ValidationError


class _MappingType(type):
    """Lets mypy take mappings for what a cache can have as its key."""


class PlanMapping(metaclass=_MappingType):
    """A mapping of a plan.

    Attributes:
        model_fields: What it may hold, by attribute.
        model_fields_set: The attributes whose keys the plan has.
        nullable: Keys for which `null` is a value; elsewhere it means that a value was forgotten.
        synonyms: Words of other tools, each with the key that means the same here. However they
            are spelt: `ramp-up` is `rampUp` too.
        elsewhere: Words of other tools, each with what to write in another place, as a hint.
        short_schema: JSON Schema of the short form that `expand` accepts, if there is one.
        guest_book: The keys that others bring; the mapping has a field of the type `guests` then.
    """

    __slots__ = ("model_fields_set",)

    if TYPE_CHECKING:
        model_fields_set: set[str]
    model_fields: ClassVar[Mapping[str, DeclaredField]] = {}

    nullable: ClassVar[frozenset[str]] = frozenset()
    synonyms: ClassVar[Mapping[str, str]] = {}
    elsewhere: ClassVar[Mapping[str, str]] = {}
    short_schema: ClassVar[Mapping[str, Any]] = {}
    guest_book: ClassVar[GuestBook | None] = None

    @classmethod
    def expand(cls, data: object) -> object:
        """Return the long form of `data`, which is anything a plan can hold."""
        return data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield what is wrong between the keys of `data`, in the long form, values unchecked."""
        yield from ()

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        """Return what to do about the unknown key `word`, if this mapping knows better."""
        if hint := as_spelt_here(cls.elsewhere, word):
            return hint
        meant = as_spelt_here(cls.synonyms, word)
        meant = meant or as_spelt_here({key: key for key in known_keys(cls)}, word)
        return f"here it is called `{meant}`" if meant else ""

    @classmethod
    def hint_beside(cls, word: str, data: Mapping[Any, Any]) -> str:
        """Return what to do about the unknown key `word`, in a mapping with this data."""
        del data
        return cls.hint_unknown(word)

    @classmethod
    def keys_beside(cls, data: Mapping[Any, Any]) -> Sequence[str]:
        """Return the keys that a mapping with this data can have, the likeliest first."""
        del data
        return list(known_keys(cls))

    @classmethod
    def has_unknown(cls, data: Mapping[str, Any]) -> bool:
        """Say whether a key is unknown: what seems to be missing may only be misspelt."""
        return not all(takes(cls, key) for key in data)

    def __init_subclass__(cls) -> None:
        own = declared_fields(cls)
        bases = [base for base in reversed(cls.__mro__[1:]) if issubclass(base, PlanMapping)]
        inherited = {name: one for base in bases for name, one in base.model_fields.items()}
        cls.model_fields = {**inherited, **own}

    @classmethod
    def model_validate(cls, data: object) -> Self:
        """Return what `data` means, which is anything a plan can hold.

        Raises:
            ValidationError: All that is wrong with it.
        """
        try:
            return cls.read_quickly(data)
        except (ValueError, AssertionError):  # whatever it was, pydantic decides
            judged: Self = _pydantics().judged(cls, data)
            return judged

    @classmethod
    def read_quickly(cls, data: object) -> Self:
        """Return what `data` means, if it is surely right.

        Raises:
            ValueError: It may be wrong.
        """
        if isinstance(data, cls):
            return data
        found: Self = read_or_known(data, cls._read)
        return found

    @classmethod
    def _read(cls, data: object) -> Self:
        data = cls.expand(data)
        if not isinstance(data, dict):
            raise Unsure
        data = with_guests_gathered(cls, data)
        names = names_of(cls)
        if not data.keys() <= names.keys() or any(cls.find_faults(data)):
            raise Unsure
        if None in data.values() and not {key for key in data if data[key] is None} <= cls.nullable:
            raise Unsure
        fields, given = cls.model_fields, {names[key]: value for key, value in data.items()}
        values = {name: fields[name].read(value) for name, value in given.items()}
        return cls.model_construct(set(values), **values)

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:  # noqa: ANN401 - of any field
        """Return a mapping with these values, which are right; others are as when left out."""
        made = cls.__new__(cls)
        object.__setattr__(
            made, "model_fields_set", set(values) if _fields_set is None else _fields_set
        )
        usual, required = _left_out(cls)
        if not required <= values.keys():
            raise Unsure
        made.__dict__.update({**usual, **values})
        return made

    def model_copy(self, update: Mapping[str, Any]) -> Self:
        """Return it with other values."""
        held = {name: getattr(self, name) for name in self.model_fields}
        return self.model_construct({*self.model_fields_set, *update}, **{**held, **update})

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """Return its JSON Schema, where each mapping below is `{"$model": its class}`."""
        schema: dict[str, Any] = _pydantics().json_schema(cls)
        return schema

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"`{name}` of a plan's mapping can't be changed")
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.model_fields)

    __hash__ = None  # type: ignore[assignment]  # it holds lists and mappings

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.model_fields)
        return f"{self.__class__.__name__}({', '.join(shown)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        return _plain_schema(cls.model_validate)

    @classmethod
    def __get_pydantic_json_schema__(cls, _core: object, _handler: object) -> dict[str, Any]:
        return {"$model": cls}


def mapping_with(
    name: str, base: type[PlanMapping], fields: Mapping[str, tuple[Any, Any]]
) -> type[PlanMapping]:
    """Return a mapping with these fields, each with its type and what `Field` gives."""
    body = {
        "__doc__": base.__doc__,
        "__module__": base.__module__,
        "__annotations__": {key: kind for key, (kind, _) in fields.items()},
    }
    return type(name, (base,), {**body, **{key: field for key, (_, field) in fields.items()}})


def value_of(kind: Any, value: object, place: tuple[str | int, ...] = ()) -> Any:  # noqa: ANN401 - by kind
    """Return what a value of a type means, which stands at `place` below that which is read.

    Raises:
        ValidationError: All that is wrong with it.
    """
    try:
        return reader_of(kind)(value)
    except (ValueError, AssertionError):
        return _pydantics().judged_value(kind, value, place)


def later(module: str, name: str) -> Any:  # noqa: ANN401 - a type, which pydantic looks into
    """Return the type of a field with a mapping whose module is imported when a plan has one."""
    return Annotated[Any, LaterMapping(module, name)]


def guests(book: GuestBook) -> Any:  # noqa: ANN401 - a type, which pydantic looks into
    """Return the type of the field that holds the guests of a mapping, by their keys.

    Its alias is `GUESTS`.
    """
    return Annotated[Any, GuestMappings(book)]


class GuestMappings:
    """Marks the type of the field that holds the guests of a mapping."""

    def __init__(self, book: GuestBook) -> None:
        self.book = book

    def reader(self, _inner: QuickReader) -> QuickReader:
        return lambda data: {
            word: self.book.guest(word).mapping.read_quickly(value) for word, value in data.items()
        }

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return _plain_schema(lambda data: _pydantics().judged_guests(self.book, data))

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, Any]:
        return {"$guests": self.book}


class LaterMapping:
    """Marks the type of a field with a mapping whose module few plans import."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def mapping(self) -> type[PlanMapping]:
        mapping: type[PlanMapping] = getattr(import_module(self._module), self._name)
        return mapping

    def reader(self, _inner: QuickReader) -> QuickReader:
        return self.mapping().read_quickly

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return _plain_schema(lambda data: self.mapping().model_validate(data))

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, Any]:
        return {"$model": self.mapping()}


def in_words(keys: Sequence[str]) -> str:
    """Return "`a`, `b` or `c`"."""
    quoted = [f"`{key}`" for key in keys]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def exactly_one(
    mapping: type[PlanMapping], data: Mapping[str, Any], keys: Sequence[str], says: str
) -> Iterator[Fault]:
    """Yield the fault of `data` not having exactly one of `keys`, which say what `says` names."""
    given = [key for key in data if key in keys]
    if len(given) > 1:
        yield Fault(
            Code.CONFLICTING_KEYS,
            f"`{given[1]}` can't be combined with `{given[0]}`",
            f"both say {says}: keep one of them",
            given[1],
        )
    elif not given and not mapping.has_unknown(data):
        yield Fault(Code.MISSING_KEY, f"nothing says {says}", f"add {in_words(keys)}")
