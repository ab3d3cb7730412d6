"""The shell, for tools that send what stands on their command lines; nothing is computed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar, Final, NoReturn

from planrunner.exporters.scripts.constants import constant, form_text, query_text
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage

__all__ = ["Shell"]

_SPECIAL: Final = re.compile(r'([\\"$`])')


class Shell(ScriptLanguage):
    """Texts in quotes.

    Attributes:
        refusal: Why nothing is taken from replies.
    """

    equal = unequal = both = either = ""
    refusal = "the shell does not look into replies"
    filters: ClassVar[Mapping[str, str]] = {}
    filters_of_one: ClassVar[Mapping[str, str]] = {}

    def literal(self, value: object) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        return f'"{_quoted(text)}"'

    def joined(self, parts: list[tuple[str, bool]]) -> str:
        pieces = (part if is_code else _quoted(part) for part, is_code in parts)
        return '"' + "".join(pieces) + '"'

    def value(self, data: object) -> str:
        return self.text(data) if isinstance(data, str) else self.literal(constant(data))

    def appended(self, text: str, glue: str, more: str) -> str:
        return f'{text[:-1]}{glue}{more[1:-1]}"'

    def query(self, values: object) -> str:
        return self.literal(query_text(values))

    def form(self, fields: Mapping[str, object]) -> str:
        return self.literal(form_text(fields))

    def json_text(self, data: object) -> str:
        return self.literal(json.dumps(constant(data), ensure_ascii=False, separators=(",", ":")))

    def env(self, name: str) -> str:
        return f'"${{{name}}}"'

    @property
    def base(self) -> str:
        return "${BASE_URL}"

    def parsed(self, expression: object) -> str:
        source = getattr(expression, "source", "").strip()
        known = self._known(source) if re.fullmatch(r"[\w.]+", source) else ""
        if not known:
            raise CanNotWrite(f"the shell can't compute `{source}`; write the value yourself")
        return known

    def _refuse(self, *_: object) -> NoReturn:
        raise CanNotWrite(self.refusal)

    member = reply = choice = is_defined = contains = negated = _refuse  # type: ignore[assignment]  # whatever they are given
    found = cookie = took_ms = or_default = _refuse  # type: ignore[assignment]


def _quoted(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
