"""What mappings of plans are declared with: fields, and marks on their types.

They mean what pydantic's of the same names mean, cost a hundredth of them, and turn into them where
pydantic is asked: for what is wrong with a plan, and for the JSON Schema.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, cast, get_args, get_origin

from planrunner.language.fields.reading import QuickReader, Unsure, reader_of

__all__ = [
    "AfterValidator",
    "BeforeValidator",
    "DeclaredField",
    "Discriminator",
    "Field",
    "Mark",
    "Tag",
    "declared_fields",
]

_REQUIRED: Final = object()


class Mark:
    """What is said about a type, in the place of what pydantic has for it."""

    __slots__ = ()

    def reader(self, inner: QuickReader) -> QuickReader:
        """Return what reads a value of the type, which `inner` reads otherwise."""
        return inner

    def as_pydantics(self) -> Any:  # noqa: ANN401 - pydantic is not imported here
        """Return pydantic's own."""
        raise NotImplementedError


class DeclaredField(Mark):
    """One key of a mapping; or, among the marks of a type, what is said about its values.

    Args:
        default: The value of a mapping without it.
        said: What pydantic's function of this name takes.
        foreign: Pydantic's own, of a model that another package declares with it.

    Attributes:
        alias: The key, where it is not the name.
        said: As given.
    """

    __slots__ = ("_default", "_foreign", "_kind", "_module", "_read", "alias", "said")

    def __init__(self, default: object, said: Mapping[str, Any], foreign: Any = None) -> None:  # noqa: ANN401 - as above
        self.alias: str | None = said.get("alias")
        self._default = default
        self.said = said
        self._foreign = foreign
        self._kind: Any = None
        self._module = ""
        self._read: QuickReader | None = None

    def placed(self, kind: object, module: str) -> DeclaredField:
        """Return it as a field of a type, of a class in `module`."""
        if self._kind is None:
            self._kind, self._module = kind, module
        return self

    @property
    def annotation(self) -> Any:  # noqa: ANN401 - a type
        """Its type; a text, as annotations are, is looked into when it is first asked for."""
        if isinstance(self._kind, str):
            self._kind = eval(self._kind, vars(sys.modules[self._module]))
        return self._kind

    @property
    def description(self) -> str | None:
        """What it is for: its own words, or those of its type."""
        return cast("str | None", self._word("description"))

    @property
    def examples(self) -> list[str] | None:
        """Values of it, in YAML's flow style."""
        return cast("list[str] | None", self._word("examples"))

    def _word(self, word: str) -> object:
        kind = self.annotation
        marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
        said = [self.said, *(mark.said for mark in marks if isinstance(mark, DeclaredField))]
        return next((each[word] for each in said if word in each), None)

    def is_required(self) -> bool:
        """Say whether a mapping must have it."""
        return self._default is _REQUIRED

    def absent(self) -> object:
        """Return the value of a mapping without it.

        Raises:
            Unsure: It must have it.
        """
        if self._default is _REQUIRED:
            raise Unsure
        return self._default

    def read(self, value: object) -> object:
        """Return what a value of a plan means.

        Raises:
            ValueError: It may be wrong.
        """
        if self._read is None:
            self._read = self.reader(reader_of(self.annotation))
        return self._read(value)

    def reader(self, inner: QuickReader) -> QuickReader:
        if self._foreign is not None and self._foreign.metadata:
            return Unsure.read
        least, pattern = self.said.get("min_length", 0), self.said.get("pattern", "")
        if not least and not pattern:
            return inner

        def read(value: object) -> object:
            found: Any = inner(value)
            if found is not None and len(found) < least:
                raise Unsure
            if pattern and not re.search(pattern, found):
                raise Unsure
            return found

        return read

    def as_pydantics(self) -> Any:  # noqa: ANN401 - as above
        from pydantic import Field as Pydantics  # noqa: PLC0415 - only where pydantic is asked

        if self._foreign is not None:
            return self._foreign
        return Pydantics(... if self.is_required() else self._default, **self.said)


def Field(  # noqa: N802, PLR0913 - pydantic's name and words
    default: Any = _REQUIRED,  # noqa: ANN401 - of the field's type
    *,
    alias: str | None = None,
    description: str | None = None,
    examples: list[str] | None = None,
    min_length: int = 0,
    pattern: str = "",
    json_schema_extra: Mapping[str, Any] | Callable[[dict[str, Any]], None] | None = None,
) -> Any:  # noqa: ANN401 - it stands for a value of the field's type
    """Declare what a key is for.

    Args:
        default: The value of a mapping without the key; without one, it must be there.
        alias: The key, where it is not the name of the attribute.
        description: One sentence or more for editors and the reference.
        examples: Values in YAML's flow style, the first one also for hints.
        min_length: Items or characters that a value has at least.
        pattern: A regular expression that is found in a value.
        json_schema_extra: What its JSON Schema says besides, or a function that changes it.
    """
    said = {
        "alias": alias,
        "description": description,
        "examples": examples,
        "min_length": min_length,
        "pattern": pattern,
        "json_schema_extra": json_schema_extra,
    }
    return DeclaredField(default, {word: value for word, value in said.items() if value})


def declared_fields(mapping: type) -> dict[str, DeclaredField]:
    """Return the fields that the body of a class declares, taken out of it."""
    found: dict[str, DeclaredField] = {}
    for name, kind in mapping.__annotations__.items():
        if name.startswith("_") or str(kind).removeprefix("typing.").startswith("ClassVar"):
            continue
        value = mapping.__dict__.get(name, _REQUIRED)
        if value is not _REQUIRED:
            delattr(mapping, name)
        found[name] = _as_declared(value).placed(kind, mapping.__module__)
    return found


def _as_declared(value: Any) -> DeclaredField:  # noqa: ANN401 - what stands behind a name
    if isinstance(value, DeclaredField):
        return value
    if not type(value).__module__.startswith("pydantic"):
        return DeclaredField(value, {})
    default = _REQUIRED if value.is_required() else value.get_default(call_default_factory=True)
    words = ("alias", "description", "examples")
    return DeclaredField(default, {word: getattr(value, word) for word in words}, value)


class Tag(Mark):
    """Marks an arm of a union with the word that a `Discriminator` has for it."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def as_pydantics(self) -> Any:  # noqa: ANN401 - as above
        from pydantic import Tag as Pydantics  # noqa: PLC0415 - as above

        return Pydantics(self.tag)


class Discriminator(Mark):
    """Marks a union whose arm is told by the word that `shape` has for a value."""

    def __init__(self, shape: Callable[[Any], str | None]) -> None:
        self._shape = shape

    def arms(self, union: object) -> QuickReader:
        """Return what reads a value by the arm that it has the shape of."""
        arms = {
            mark.tag: reader_of(arm)
            for arm in get_args(union)
            for mark in get_args(arm)
            if isinstance(mark, Tag)
        }
        return lambda value: arms.get(self._shape(value) or "", Unsure.read)(value)

    def as_pydantics(self) -> Any:  # noqa: ANN401 - as above
        from pydantic import Discriminator as Pydantics  # noqa: PLC0415 - as above

        return Pydantics(self._shape)


class AfterValidator(Mark):
    """Marks a type whose values `check` judges, or changes, once they have been read."""

    def __init__(self, check: Callable[[Any], Any]) -> None:
        self._check = check

    def reader(self, inner: QuickReader) -> QuickReader:
        return lambda value: self._check(inner(value))

    def as_pydantics(self) -> Any:  # noqa: ANN401 - as above
        from pydantic import AfterValidator as Pydantics  # noqa: PLC0415 - as above

        return Pydantics(self._check)


class BeforeValidator(Mark):
    """Marks a type whose values are what `expand` makes of the plan's."""

    def __init__(self, expand: Callable[[Any], Any]) -> None:
        self._expand = expand

    def reader(self, inner: QuickReader) -> QuickReader:
        return lambda value: inner(self._expand(value))

    def as_pydantics(self) -> Any:  # noqa: ANN401 - as above
        from pydantic import BeforeValidator as Pydantics  # noqa: PLC0415 - as above

        return Pydantics(self._expand)
