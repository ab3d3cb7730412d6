"""What `planrunner.yaml` may write: those sections of a plan that many plans have alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import (
    GUESTS,
    Guest,
    GuestBook,
    guests,
    in_words,
    known_keys,
    mapping_with,
)
from planrunner.plan.defaults.sections import SECTIONS
from planrunner.plan.models.params import ParamModel
from planrunner.plan.models.plan import OwnKeysMapping, PlanModel
from planrunner.plan.models.requests import PLAN_SETTINGS
from planrunner.protocols import registry

__all__ = ["DefaultsModel"]


class _HttpBook:
    """The settings of HTTP alone: those of other protocols belong to the plans that use them."""

    def words(self) -> Sequence[str]:
        return [registry.own_verbs().name]

    def has(self, word: str) -> bool:
        return word == registry.own_verbs().name

    def guest(self, word: str) -> Guest:
        return PLAN_SETTINGS.guest(word)


_HTTP: Final = _HttpBook()


class _DefaultsKeys(OwnKeysMapping):
    """What plans in the same folder start from; a plan's own keys win."""

    guest_book: ClassVar[GuestBook | None] = _HTTP

    protocols: Any = Field(None, alias=GUESTS)

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        if word in known_keys(PlanModel):
            here = in_words(list(known_keys(cls)))
            return f"`{word}` belongs to a plan; here only {here} are allowed".replace(
                " or ", " and "
            )
        return PlanModel.hint_unknown(word) if word in PlanModel.synonyms else ""


if TYPE_CHECKING:

    class DefaultsModel(_DefaultsKeys):
        params: Mapping[str, ParamModel] | None
        cases: Mapping[str, Mapping[str, Any]] | None
else:
    DefaultsModel = mapping_with(
        "DefaultsModel",
        _DefaultsKeys,
        {
            "protocols": (guests(_HTTP) | None, Field(None, alias=GUESTS)),
            **{
                name: (field.annotation, field)
                for name, field in PlanModel.model_fields.items()
                if name in SECTIONS
            },
        },
    )
