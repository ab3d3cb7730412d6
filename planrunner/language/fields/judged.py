"""What pydantic says of a mapping: all that is wrong with it, and its JSON Schema.

Pydantic checks one key at a time and stops a model at the first rule that fails. Here the faults
that need several keys come first, and are reported beside those of the single keys, so that one run
of the loader shows everything that is wrong with a mapping.

It is asked about mappings that may be wrong, and imported then. Each of ours has a twin, a model of
pydantic's with the same fields; a mapping in a mapping is a value that our own class reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import pydantic
from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    SchemaValidator,
    ValidationError,
    core_schema,
)

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields import declared
from planrunner.language.fields.key_hints import cut_off, listed
from planrunner.language.fields.mapping import (
    Fault,
    Guest,
    GuestBook,
    GuestMappings,
    LaterMapping,
    PlanMapping,
    error,
    known_keys,
    takes,
    with_guests_gathered,
)

__all__ = ["json_schema", "judged", "judged_guests", "judged_value"]

M = TypeVar("M", bound=PlanMapping)

_CONFIG: Final = pydantic.ConfigDict(
    extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
)


def judged(mapping: type[M], data: object) -> M:
    """Return what `data` means.

    Raises:
        ValidationError: All that is wrong with it.
    """
    found: M = _validator(mapping).validate_python(data)
    return found


def judged_value(kind: object, value: object, place: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - by kind
    """Return what a value of a type means, which stands at `place`.

    Raises:
        ValidationError: All that is wrong with it.
    """
    config = pydantic.ConfigDict(strict=True)
    try:
        return pydantic.TypeAdapter(_as_pydantics(kind), config=config).validate_python(value)
    except ValidationError as failed:
        details = [_placed(fault, place) for fault in failed.errors(include_url=False)]
        raise ValidationError.from_exception_data("value", details) from None


def _placed(fault: Any, place: tuple[str | int, ...], **more: str) -> InitErrorDetails:  # noqa: ANN401 - pydantic's dict
    """Return a fault of what stands at `place`, as one of the whole."""
    context = {"message": fault["msg"], **more, **fault.get("ctx", {})}
    kind = PydanticCustomError(fault["type"], "{message}", context)
    return InitErrorDetails(type=kind, loc=(*place, *fault["loc"]), input=fault["input"])


def json_schema(mapping: type[PlanMapping]) -> dict[str, Any]:
    """Return the JSON Schema of a mapping, with that of its short form if it has one."""
    schema = _twin(mapping).model_json_schema()
    short = dict(sorted(mapping.short_schema.items()))  # as pydantic sorts
    return {"anyOf": [schema, short]} if short else schema


# -- twins ---------------------------------------------------------------------------------------


@cache
def _validator(mapping: type[PlanMapping]) -> SchemaValidator:
    return SchemaValidator(core_schema.no_info_plain_validator_function(partial(_check, mapping)))


@cache
def _twin(mapping: type[PlanMapping]) -> type[pydantic.BaseModel]:
    fields: dict[str, Any] = {
        name: (_as_pydantics(field.annotation), _as_pydantics(field))
        for name, field in mapping.model_fields.items()
    }
    return pydantic.create_model(
        mapping.__name__,
        __config__=_CONFIG,
        __doc__=mapping.__doc__,
        __module__=mapping.__module__,
        **fields,
    )


def _as_pydantics(kind: Any) -> Any:  # noqa: ANN401 - a type, or what is said of one
    """Return a type with pydantic's own marks in the place of ours."""
    if isinstance(kind, declared.Mark):
        return kind.as_pydantics()
    origin, inner = get_origin(kind), tuple(map(_as_pydantics, get_args(kind)))
    if origin is Annotated or origin in (list, dict):
        return origin[inner]
    return Union[inner] if origin in (Union, UnionType) else kind  # noqa: UP007 - of a tuple


# -- faults --------------------------------------------------------------------------------------


def _check(mapping: type[M], data: object) -> M:
    if isinstance(data, mapping):
        return data
    data = mapping.expand(data)
    if not isinstance(data, dict):
        return _by_keys(mapping, data)
    data = with_guests_gathered(mapping, data)
    found = [*_key_faults(mapping, data), *mapping.find_faults(data)]
    if not found:
        try:
            return _by_keys(mapping, data)
        except ValidationError as failed:
            details = [_detail_of(mapping, fault) for fault in failed.errors(include_url=False)]
            raise ValidationError.from_exception_data(mapping.__name__, details) from None
    known = {(fault.path, fault.code.value, fault.key) for fault in found}
    rest = (detail for detail in _rest(mapping, data) if _identity(detail) not in known)
    details = [*(_detail(fault, data) for fault in found), *rest]
    raise ValidationError.from_exception_data(mapping.__name__, details)


def _by_keys(mapping: type[M], data: object) -> M:
    """Return what a mapping means, of which each key is checked by itself.

    Raises:
        ValidationError: What is wrong with the single keys.
    """
    twin = _twin(mapping).model_validate(data)
    return mapping.model_construct(set(twin.model_fields_set), **twin.__dict__)


def _key_faults(mapping: type[PlanMapping], data: Mapping[Any, Any]) -> Iterator[Fault]:
    unknown = (key for key in data if not takes(mapping, key))
    yield from (_unknown(mapping, key, data) for key in islice(unknown, _MAX_UNKNOWN))
    if None in data.values():
        for key, value in data.items():
            if value is None and key not in mapping.nullable and takes(mapping, key):
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
        for place, nested in _mappings_in(field.annotation, "`{}:`"):
            for inner in known_keys(nested):
                homes.setdefault(inner, []).append(place.format(key))
    return homes


def _mappings_in(kind: Any, place: str) -> Iterator[tuple[str, type[PlanMapping]]]:  # noqa: ANN401 - a type, or what annotates one
    if isinstance(kind, LaterMapping):
        yield place, kind.mapping()
    elif isinstance(kind, GuestMappings):
        yield from ((f"`{word}:`", kind.book.guest(word).mapping) for word in kind.book.words())
    elif isinstance(kind, type) and issubclass(kind, PlanMapping):
        yield place, kind
    place = _PLACES.get(get_origin(kind), place)
    for inner in get_args(kind):
        yield from _mappings_in(inner, place)


_PLACES: Final = {list: "an item of `{}:`", dict: "one of the `{}:`"}
_MOST_HOMES = 2

_MAX_UNKNOWN = 100  # looking for the key that was meant takes its time


def _detail(fault: Fault, data: object) -> InitErrorDetails:
    return InitErrorDetails(type=error(fault), loc=fault.path, input=data)


def _identity(detail: InitErrorDetails) -> tuple[tuple[int | str, ...], str, object]:
    """Return what makes a fault the same one: pydantic may call a nested check twice."""
    kind = detail["type"]
    assert isinstance(kind, PydanticCustomError)
    return detail.get("loc", ()), kind.type, (kind.context or {}).get("key", "")


def _rest(mapping: type[PlanMapping], data: dict[Any, Any]) -> Iterator[InitErrorDetails]:
    """Yield the faults of the single keys; those about the keys themselves are known already."""
    present = {key: value for key, value in data.items() if value is not None}
    try:
        _by_keys(mapping, present)
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
    return _placed({**fault, "ctx": context}, ())


_NEAR: Final = 3  # the key itself, an item or a name below it, an arm of its type


def judged_guests(book: GuestBook, data: dict[str, Any]) -> dict[str, PlanMapping]:
    """Return what the guests of a mapping mean, by their keys.

    Raises:
        ValidationError: All that is wrong with them.
    """
    valid: dict[str, PlanMapping] = {}
    faults: list[InitErrorDetails] = []
    for word, value in data.items():
        guest = book.guest(word)
        try:
            valid[word] = guest.mapping.model_validate(value)
        except ValidationError as failed:
            faults += (_of_guest(word, guest, each) for each in failed.errors(include_url=False))
    if faults:
        raise ValidationError.from_exception_data("guests", faults)
    return valid


def _of_guest(word: str, guest: Guest, fault: Any) -> InitErrorDetails:  # noqa: ANN401 - pydantic's dict
    """Return a fault of a guest with the key that it stands below."""
    is_whole = not fault["loc"] and guest.example
    more = {"example": f"{word}: {guest.example}"} if is_whole else {}
    return _placed(fault, (word,), **more)
