"""The shell, as scripts of curl need it: texts, and params as variables; nothing is computed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar, Final, NoReturn
from urllib.parse import quote, urlencode

from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage

__all__ = ["Shell"]

_SPECIAL: Final = re.compile(r'([\\"$`])')


class Shell(ScriptLanguage):
    equal = unequal = both = either = ""
    filters: ClassVar[Mapping[str, str]] = {}
    filters_of_one: ClassVar[Mapping[str, str]] = {}

    def literal(self, value: object) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        return f'"{_quoted(text)}"'

    def joined(self, parts: list[tuple[str, bool]]) -> str:
        pieces = (part if is_code else _quoted(part) for part, is_code in parts)
        return '"' + "".join(pieces) + '"'

    def value(self, data: object) -> str:
        return self.text(data) if isinstance(data, str) else self.literal(_constant(data))

    def appended(self, text: str, glue: str, more: str) -> str:
        return f'{text[:-1]}{glue}{more[1:-1]}"'

    def query(self, values: object) -> str:
        if not isinstance(values, dict):
            raise CanNotWrite("a query that is computed has no translation")
        given = {key: value for key, value in values.items() if value is not None}
        return self.literal(urlencode(_plain(given), doseq=True, quote_via=quote))

    def form(self, fields: Mapping[str, object]) -> str:
        return self.literal(urlencode(_plain(fields), doseq=True))

    def json_text(self, data: object) -> str:
        return self.literal(json.dumps(_constant(data), ensure_ascii=False, separators=(",", ":")))

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
        raise CanNotWrite("curl shows the reply and does not look into it")

    member = reply = choice = is_defined = contains = negated = _refuse  # type: ignore[assignment]  # whatever they are given
    found = cookie = took_ms = or_default = _refuse  # type: ignore[assignment]


def _quoted(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _constant(data: object) -> object:
    """Return a value without expressions.

    Raises:
        CanNotWrite: It has one.
    """
    if "${" in json.dumps(data):
        raise CanNotWrite("a body that is computed has no translation; write the values yourself")
    return data


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    """Return fields as texts of a query."""
    _constant(dict(fields))

    def text(value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    return {
        key: [text(one) for one in value] if isinstance(value, list) else text(value)
        for key, value in fields.items()
    }
