"""What a plan may write under `outputs:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from planrunner.language.fields.types import NameField
from planrunner.plan.output_kinds import registry
from planrunner.protocols.plugin import resolve

__all__ = ["GENERAL_KEYS", "SYNONYMS", "OutputEntry", "OutputModel"]


class OutputModel(PlanMapping):
    """Settings of an output: a kind adds its own keys to those that all outputs have."""

    labels: list[NameField] | None = Field(
        None,
        description="Tags of requests that become labels of what the output gets. Default none.",
        examples=["[read]"],
    )
    optional: bool = Field(
        default=False,
        description="Whether the run begins without it if it can't be reached; otherwise it ends "
        "with exit code 3 before any load.",
        examples=["true"],
    )
    required: bool = Field(
        default=False,
        description="Whether the run ends with exit code 3 if not all of it was delivered.",
        examples=["true"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if data.get("optional") is True and data.get("required") is True:
            yield Fault(
                Code.CONFLICTING_KEYS,
                "`required` can't be combined with `optional`",
                "an output that may be missing delivers nothing: keep one of them",
                "required",
            )


GENERAL_KEYS: Final = frozenset(OutputModel.model_fields)
"""The settings that outputs have in common."""


SYNONYMS: Final[Mapping[str, str]] = {
    "json": "jsonl",
    "influx": "influxdb",
    "opentelemetry": "otlp",
    "prom": "prometheus",
}
"""What other tools call outputs."""


class _KindBook:
    """The kinds of outputs, as keys of an entry."""

    def words(self) -> Sequence[str]:
        return [*registry.known_kinds()]

    def has(self, word: str) -> bool:
        return registry.find_kind(word) is not None

    def guest(self, word: str) -> Guest:
        kind = registry.named_kind(word)
        return Guest(resolve(kind.model), kind.description, kind.example)


_KINDS: Final = _KindBook()

if TYPE_CHECKING:
    KindGuests: TypeAlias = Mapping[str, OutputModel]
else:
    KindGuests = guests(_KINDS)


class OutputEntry(PlanMapping):
    """An output: who receives every second of the run while it lasts."""

    guest_book: ClassVar[GuestBook | None] = _KINDS

    synonyms: ClassVar[Mapping[str, str]] = SYNONYMS

    kinds: KindGuests | None = Field(None, alias=GUESTS)

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        given = [*data.get(GUESTS, ())]
        for other in given[1:]:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{other}` can't be combined with `{given[0]}`",
                "each output is an item of its own: begin a line with `- `",
                other,
            )
        if not given and not cls.has_unknown(data) and None not in data.values():
            hint = f"add {in_words(_KINDS.words())}"
            yield Fault(Code.MISSING_KEY, "nothing says which output it is", hint)

    @property
    def kind(self) -> str:
        """What kind of output it is."""
        return next(iter(self.kinds or ()))

    @property
    def settings(self) -> OutputModel:
        """What the plan says of it."""
        return (self.kinds or {})[self.kind]
