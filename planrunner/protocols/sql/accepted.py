"""Which statuses of a database a plan accepts: by name, or by the beginning of names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.text import Text
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.sql.sqlstates import OK, STATUSES, status_text
from planrunner.values import dataclass

__all__ = ["AcceptedStatuses", "accepted_statuses"]

_PLAIN: Final = tuple(name for name in STATUSES if not name.endswith("*"))
_SQLITE: Final = tuple(name for name in _PLAIN if name.startswith("SQLITE_"))
_NAMES: Final = re.compile(
    rf"OK|[0-9A-Z]{{5}}|[0-9A-Z]{{2,4}}\*|({'|'.join(_SQLITE)})(_[A-Z_]+)?\*?|ERROR_\d+|[1-5]\d\d"
)

_CONDITIONS: Final[Mapping[str, str]] = {
    "unique_violation": "23505",
    "foreign_key_violation": "23503",
    "not_null_violation": "23502",
    "check_violation": "23514",
    "exclusion_violation": "23P01",
    "serialization_failure": "40001",
    "deadlock_detected": "40P01",
    "lock_not_available": "55P03",
    "query_canceled": "57014",
}
"""What PostgreSQL calls them. Source: postgresql.org/docs/current/errcodes-appendix.html"""


@dataclass(frozen=True, slots=True)
class AcceptedStatuses:
    """Statuses by their names; `23*` is all whose names begin so."""

    names: tuple[str, ...] = ("OK",)
    _known: dict[int, bool] = field(default_factory=dict, compare=False, repr=False)

    def __contains__(self, status: object) -> bool:
        if not isinstance(status, int):
            return False
        found = self._known.get(status)
        if found is None:
            found = self._known[status] = self._has(status_text(status))
        return found

    def _has(self, name: str) -> bool:
        return any(
            name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.names
        )

    @property
    def has_errors(self) -> bool:
        return any(name != status_text(OK) for name in self.names)


def accepted_statuses(
    written: Text | Sequence[Text] | None, lowering: Lowering
) -> AcceptedStatuses:
    """Compile `expect.status`; what is no status leaves a fault."""
    if written is None:
        return AcceptedStatuses()
    path: SpecPath = ("expect", "status")
    if isinstance(written, Text):
        return AcceptedStatuses((_name(written, path, lowering),))
    found = (_name(text, (*path, index), lowering) for index, text in enumerate(written))
    return AcceptedStatuses(tuple(found))


def _name(text: Text, path: SpecPath, lowering: Lowering) -> str:
    given = lowering.constant(text, path)
    if given is None:
        return ""
    # YAML reads `08006` as a number.
    name = given.strip().rjust(5, "0") if given.isdecimal() and len(given) == 4 else given.strip()
    if not _NAMES.fullmatch(name):
        upper = name.upper()
        meant = _CONDITIONS.get(name.lower()) or (upper if _NAMES.fullmatch(upper) else "")
        hint = f"write `{meant}`" if meant else suggest(upper, _PLAIN)
        hint = hint or "write an SQLSTATE such as `23505`, or `SQLITE_BUSY`, `ERROR_1062`, `OK`"
        lowering.fault(path, Code.INVALID_VALUE, f"`{name}` is not a status of SQL", hint)
    return name
