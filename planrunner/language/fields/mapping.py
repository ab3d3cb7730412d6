"""The base of every mapping a plan can hold: unknown keys, empty values and rules between keys.

Pydantic checks one key at a time and stops a model at the first rule that fails. `PlanMapping`
finds the faults that need several keys first and reports them beside those of the single keys, so
that one run of the loader shows everything that is wrong with a mapping.

A mapping's validator is built when a plan first holds such a mapping: the language has over fifty
of them, most plans use ten, and building all takes as long as checking a thousand lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import islice
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    NamedTuple,
    Protocol,
    Self,
    get_args,
    get_origin,
)

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.key_hints import as_spelt_here, cut_off, listed

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
    "known_keys",
    "later",
]

GUESTS: Final = "<\0guests>"
"""Where a mapping's guest keys are gathered before pydantic sees them; no YAML text has a NUL."""


class Fault(NamedTuple):
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
    context = {"message": fault.message, "hint": fault.hint, "key": fault.key, **more}
    return PydanticCustomError(fault.code.value, "{message}", context)


class Guest(NamedTuple):
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
def _own_keys(mapping: type[BaseModel]) -> Mapping[str, str]:
    keys = {field.alias or name: name for name, field in mapping.model_fields.items()}
    return {key: name for key, name in keys.items() if key != GUESTS}


def known_keys(mapping: type[BaseModel]) -> Mapping[str, str]:
    """Return the keys a plan can write in `mapping`, each with the name of its field."""
    book: GuestBook | None = getattr(mapping, "guest_book", None)
    return _own_keys(mapping) if book is None else _all_keys(mapping, tuple(book.words()))


@cache
def _all_keys(mapping: type[BaseModel], guests: tuple[str, ...]) -> Mapping[str, str]:
    name = next(name for name, field in mapping.model_fields.items() if field.alias == GUESTS)
    return {**_own_keys(mapping), **dict.fromkeys(guests, name)}


def _takes(mapping: type[PlanMapping], key: object) -> bool:
    """Say whether a mapping can have this key, or what stands for its guests."""
    book = mapping.guest_book
    return (
        key in _own_keys(mapping)
        or key == GUESTS
        or (book is not None and isinstance(key, str) and book.has(key))
    )


def _with_guests_gathered(mapping: type[PlanMapping], data: dict[Any, Any]) -> dict[Any, Any]:
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


class PlanMapping(BaseModel):
    """A mapping of a plan.

    Attributes:
        nullable: Keys for which `null` is a value; elsewhere it means that a value was forgotten.
        synonyms: Words of other tools, each with the key that means the same here. However they
            are spelt: `ramp-up` is `rampUp` too.
        elsewhere: Words of other tools, each with what to write in another place, as a hint.
        short_schema: JSON Schema of the short form that `expand` accepts, if there is one.
        guest_book: The keys that others bring; the mapping has a field of the type `guests` then.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        defer_build=True,
        arbitrary_types_allowed=True,
    )

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
        return not all(_takes(cls, key) for key in data)

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        data = cls.expand(data)
        if not isinstance(data, dict):
            return handler(data)
        data = _with_guests_gathered(cls, data)
        found = [*_key_faults(cls, data), *cls.find_faults(data)]
        if not found:
            try:
                return handler(data)
            except ValidationError as failed:
                details = [_detail_of(cls, fault) for fault in failed.errors(include_url=False)]
                raise ValidationError.from_exception_data(cls.__name__, details) from None
        known = {(fault.path, fault.code.value, fault.key) for fault in found}
        rest = (detail for detail in _rest(cls, data, handler) if _identity(detail) not in known)
        details = [*(_detail(fault, data) for fault in found), *rest]
        raise ValidationError.from_exception_data(cls.__name__, details)

    @classmethod
    def __get_pydantic_core_schema__(
        cls,
        source: Any,  # noqa: ANN401 - pydantic's own hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        if handler.field_name is None:
            return handler(source)
        return core_schema.no_info_plain_validator_function(cls.model_validate)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own hook
        if core["type"] == "function-plain":  # inside another mapping
            return {"$model": cls}
        schema: dict[str, Any] = handler(core)
        return {"anyOf": [schema, dict(cls.short_schema)]} if cls.short_schema else schema


def later(module: str, name: str) -> Any:  # noqa: ANN401 - a type, which pydantic looks into
    """Return the type of a field with a mapping whose module is imported when a plan has one."""
    return Annotated[Any, _Later(module, name)]


def guests(book: GuestBook) -> Any:  # noqa: ANN401 - a type, which pydantic looks into
    """Return the type of the field that holds the guests of a mapping, by their keys.

    Its alias is `GUESTS`.
    """
    return Annotated[Any, _Guests(book)]


class _Guests:
    def __init__(self, book: GuestBook) -> None:
        self.book = book

    def _validate(self, data: dict[str, Any]) -> dict[str, PlanMapping]:
        valid: dict[str, PlanMapping] = {}
        faults: list[InitErrorDetails] = []
        for word, value in data.items():
            guest = self.book.guest(word)
            try:
                valid[word] = guest.mapping.model_validate(value)
            except ValidationError as failed:
                faults += (
                    _of_guest(word, guest, each) for each in failed.errors(include_url=False)
                )
        if faults:
            raise ValidationError.from_exception_data("guests", faults)
        return valid

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, Any]:
        del core, handler
        return {"$guests": self.book}


def _of_guest(word: str, guest: Guest, fault: Any) -> InitErrorDetails:  # noqa: ANN401 - pydantic's dict
    """Return a fault of a guest with the key that it stands below."""
    context = {"message": fault["msg"], **fault.get("ctx", {})}
    if not fault["loc"] and guest.example:
        context.setdefault("example", f"{word}: {guest.example}")
    kind = PydanticCustomError(fault["type"], "{message}", context)
    return InitErrorDetails(type=kind, loc=(word, *fault["loc"]), input=fault["input"])


class _Later:
    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def mapping(self) -> type[PlanMapping]:
        mapping: type[PlanMapping] = getattr(import_module(self._module), self._name)
        return mapping

    def _validate(self, data: object) -> PlanMapping:
        return self.mapping().model_validate(data)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, Any]:
        del core, handler
        return {"$model": self.mapping()}


def _key_faults(mapping: type[PlanMapping], data: Mapping[Any, Any]) -> Iterator[Fault]:
    if not data.keys() <= _own_keys(mapping).keys():
        unknown = (key for key in data if not _takes(mapping, key))
        yield from (_unknown(mapping, key, data) for key in islice(unknown, _MAX_UNKNOWN))
    if None in data.values():
        for key, value in data.items():
            if value is None and key not in mapping.nullable and _takes(mapping, key):
                yield Fault(
                    Code.WRONG_TYPE, f"`{key}` has no value", "write one, or remove the key", key
                )


def _unknown(mapping: type[PlanMapping], key: object, data: Mapping[Any, Any]) -> Fault:
    word = str(key)
    hint = cut_off(word) or mapping.hint_beside(word, data) or _deeper(mapping, word)
    known = list(known_keys(mapping))
    family = [one for one in known if "." in word and one.startswith(word[: word.index(".") + 1])]
    hint = hint or suggest(word, family or known)
    hint = hint or listed(family or mapping.keys_beside(data))
    return Fault(Code.UNKNOWN_KEY, f"unknown key `{word}`", hint, word)


def _deeper(mapping: type[PlanMapping], word: str) -> str:
    """Return where the unknown key `word` belongs, if that is one level deeper."""
    homes = _homes(mapping).get(word, ())
    return f"put it into {' or '.join(homes)}" if 0 < len(homes) <= _MOST_HOMES else ""


@cache
def _homes(mapping: type[PlanMapping]) -> Mapping[str, Sequence[str]]:
    """Return the keys one level deeper, each with the places that have it."""
    homes: dict[str, list[str]] = {}
    for name, field in mapping.model_fields.items():
        key = field.alias or name
        for place, nested in _nested(field):
            for inner in known_keys(nested):
                homes.setdefault(inner, []).append(place.format(key))
    return homes


def _nested(field: FieldInfo) -> Iterator[tuple[str, type[PlanMapping]]]:
    for kind in (field.annotation, *field.metadata):
        yield from _mappings_in(kind, "`{}:`")


def _mappings_in(kind: Any, place: str) -> Iterator[tuple[str, type[PlanMapping]]]:  # noqa: ANN401 - a type, or what annotates one
    if isinstance(kind, _Later):
        yield place, kind.mapping()
    elif isinstance(kind, _Guests):
        yield from ((f"`{word}:`", kind.book.guest(word).mapping) for word in kind.book.words())
    elif isinstance(kind, type) and issubclass(kind, PlanMapping):
        yield place, kind
    place = _PLACES.get(get_origin(kind), place)
    for inner in get_args(kind):
        yield from _mappings_in(inner, place)


_PLACES: Final = {list: "an item of `{}:`", dict: "one of the `{}:`"}
_MOST_HOMES = 2
_NEAR = 3  # the key itself, an item or a name below it, an arm of its type


_MAX_UNKNOWN = 100  # looking for the key that was meant takes its time


def _detail(fault: Fault, data: object) -> InitErrorDetails:
    return InitErrorDetails(type=error(fault), loc=fault.path, input=data)


def _identity(detail: InitErrorDetails) -> tuple[tuple[int | str, ...], str, object]:
    """Return what makes a fault the same one: pydantic may call a nested check twice."""
    kind = detail["type"]
    assert isinstance(kind, PydanticCustomError)
    return detail.get("loc", ()), kind.type, (kind.context or {}).get("key", "")


def _rest(
    mapping: type[PlanMapping], data: dict[Any, Any], handler: ModelWrapValidatorHandler[Any]
) -> Iterator[InitErrorDetails]:
    """Yield the faults of the single keys; those about the keys themselves are known already."""
    present = {key: value for key, value in data.items() if value is not None}
    try:
        handler(present)
    except ValidationError as failed:
        for fault in failed.errors(include_url=False):
            own = len(fault["loc"]) == 1
            if own and (
                fault["type"] == "extra_forbidden"
                or (fault["type"] == "missing" and fault["loc"][0] in data)
            ):
                continue
            yield _detail_of(mapping, fault)


def _detail_of(mapping: type[PlanMapping], fault: Any) -> InitErrorDetails:  # noqa: ANN401 - pydantic's dict
    """Return a fault of one key, with what its value looks like when it is right."""
    place = fault["loc"]
    context = {"message": fault["msg"], **fault.get("ctx", {})}
    name = known_keys(mapping).get(place[0]) if 0 < len(place) <= _NEAR else None
    if name is not None and "example" not in context:
        examples = mapping.model_fields[name].examples
        context["example"] = f"{place[0]}: {examples[0]}" if examples else ""
    kind = PydanticCustomError(fault["type"], "{message}", context)
    return InitErrorDetails(type=kind, loc=place, input=fault["input"])


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
