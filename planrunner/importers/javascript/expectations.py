"""What the tests of a script say of a value, as keys of `expect`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.javascript.reply_values import ScriptValue, json_path
from planrunner.importers.templates import literal

__all__ = ["NO_RULE", "ExpectedReply", "NotExpectable", "escape_pattern"]

_TYPES: Final = {
    "string": "string", "number": "number", "boolean": "boolean", "object": "object",
    "array": "array", "null": "null",
}  # fmt: skip
NO_RULE: Final = "no expectation says this: check it with a `python:` step after the request"
"""Why a test is left out, where nothing better is known."""

_WORDS: Final = {status.phrase.lower(): status.value for status in HTTPStatus}


class NotExpectable(Exception):  # noqa: N818 - reads as the sentence it stands for
    """A plan can't expect this; the text says what to write instead."""


@dataclass
class ExpectedReply:
    """The `expect` of one request while it is collected."""

    keys: Keys = field(default_factory=dict)

    def equal(self, value: ScriptValue, wanted: object) -> None:
        """The value is a constant."""
        if value.kind in ("status", "reason"):
            self._status([_status(wanted)])
        elif value.kind == "length" and value.of is not None:
            self.length(value.of, _whole(wanted), _whole(wanted))
        elif value.kind == "body" and isinstance(wanted, str):
            self._text("matches", f"^{escape_pattern(wanted)}$" if wanted else "^$")
        elif value.kind in ("json", "header"):
            plain = wanted if value.kind == "json" else str(wanted)
            self._rule(value, {"is": _literal(plain)})
        else:
            raise NotExpectable(NO_RULE)

    def unequal(self, value: ScriptValue, wanted: object) -> None:
        """The value is anything else than a constant."""
        if value.kind not in ("json", "header") or isinstance(wanted, list | dict):
            raise NotExpectable(NO_RULE)
        text = wanted if isinstance(wanted, str) else _json_word(wanted)
        if text:
            self._rule(value, {"matches": f"^(?!{escape_pattern(text)}$)"})
        else:
            self._rule(value, {"matches": r"^[\s\S]"})

    def one_of(self, value: ScriptValue, wanted: list[object]) -> None:
        """The value is one of several constants."""
        if value.kind in ("status", "reason"):
            self._status([_status(one) for one in wanted])
        elif value.kind in ("json", "header") and wanted:
            self._rule(value, {"in": [_literal(one) for one in wanted]})
        else:
            raise NotExpectable(NO_RULE)

    def bound(self, value: ScriptValue, sign: str, limit: object) -> None:
        """The value is below or above a number; `sign` is one of `<`, `<=`, `>`, `>=`."""
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise NotExpectable(NO_RULE)
        if value.kind == "time" and sign[0] == "<":
            self._put("time", f"{sign} {limit:g}ms" if limit < 1e6 else f"{sign} {int(limit)}ms")
        elif value.kind == "length" and value.of is not None:
            whole = int(limit) + {"<": -1, ">": 1}.get(sign, 0)
            self.length(
                value.of, whole if sign[0] == ">" else None, whole if sign[0] == "<" else None
            )
        elif value.kind == "json":
            key = "min" if sign[0] == ">" else "max"
            rule: Keys = {key: limit}
            if len(sign) == 1:
                rule["matches"] = rf"^(?!{escape_pattern(f'{limit:g}')}(\.0+)?$)"
            self._rule(value, rule)
        elif value.kind == "status":
            self._status_bound(sign, int(limit))
        else:
            raise NotExpectable(NO_RULE)

    def _status_bound(self, sign: str, limit: int) -> None:
        classes = {("<", 300): ["2xx"], ("<", 400): ["2xx", "3xx"], (">=", 400): ["4xx", "5xx"],
                   ("<", 500): ["2xx", "3xx", "4xx"], (">=", 500): ["5xx"]}  # fmt: skip
        if (sign, limit) == (">=", 200):
            return
        found = classes.get((sign, limit)) or (["2xx"] if (sign, limit) == ("<=", 299) else None)
        if found is None:
            raise NotExpectable("write the statuses: `expect: {status: [2xx, 404]}`")
        self._status(list(found))

    def length(self, value: ScriptValue, least: int | None, most: int | None) -> None:
        """The value has so many items or characters."""
        if value.kind != "json":
            if value.kind != "body":
                raise NotExpectable(NO_RULE)
            self._text("matches", _sized(least, most))
            return
        if least is not None and least == most:
            self._rule(value, {"length": least})
            return
        bounds = {
            key: max(0, one) for key, one in (("min", least), ("max", most)) if one is not None
        }
        self._rule(value, {"length": bounds})

    def type(self, value: ScriptValue, word: str) -> None:
        """The value is a string or of another type of JSON."""
        known = _TYPES.get(word.lower())
        if value.kind != "json" or known is None:
            if value.kind == "body" and word == "string":
                return
            raise NotExpectable(NO_RULE)
        self._rule(value, {"type": known})

    def exists(self, value: ScriptValue, *, is_there: bool = True) -> None:
        """The value is there, or isn't."""
        if value.kind in ("json", "header"):
            self._rule(value, {"exists": is_there})
        elif value.kind == "body" and is_there:
            self._text("matches", r"[\s\S]")
        elif value.kind not in ("status", "time") or not is_there:
            raise NotExpectable(NO_RULE)

    def contains(self, value: ScriptValue, wanted: object, *, is_not: bool = False) -> None:
        """The value has a text in it, or an item."""
        if isinstance(wanted, list | dict) and value.kind == "json" and isinstance(wanted, dict):
            if is_not:
                raise NotExpectable(NO_RULE)
            for key, one in wanted.items():
                self.equal(ScriptValue("json", (*value.path, key)), one)
            return
        text = wanted if isinstance(wanted, str) else _json_word(wanted)
        if not text:
            raise NotExpectable(NO_RULE)
        if value.kind == "body":
            self._text("not_contains" if is_not else "contains", text)
        elif value.kind in ("json", "header"):
            escaped = escape_pattern(text)
            self._rule(value, {"matches": rf"^(?![\s\S]*{escaped})" if is_not else escaped})
        elif value.kind == "reason" and not is_not and text.lower() in _WORDS:
            self._status([_status(text)])
        else:
            raise NotExpectable(NO_RULE)

    def matches(self, value: ScriptValue, pattern: str, *, is_not: bool = False) -> None:
        """A regular expression is found in the value."""
        if value.kind == "body":
            self._text("not_matches" if is_not else "matches", pattern)
        elif value.kind in ("json", "header") and not is_not:
            self._rule(value, {"matches": pattern})
        else:
            raise NotExpectable(NO_RULE)

    def computed(self, value: ScriptValue, expression: str) -> None:
        """The value is what an expression gives when the plan runs."""
        self._rule(value, {"is": f"${{{expression}}}"})

    def json_type(self, value: ScriptValue, kind: str) -> None:
        """The value is of one of JSON Schema's types, `integer` too."""
        self._rule(value, {"type": kind})

    def statuses(self, accepted: list[object]) -> None:
        """The status is one of several, or of a class."""
        self._status(accepted)

    def schema(self, file: str) -> None:
        """The body satisfies a JSON Schema."""
        self._put("schema", file)

    def _status(self, accepted: list[object]) -> None:
        before = self.keys.get("status")
        listed = before if isinstance(before, list) else [before] if before is not None else None
        both = [one for one in accepted if listed is None or _covers(listed, one)]
        if not both and listed is not None:
            both = [one for one in listed if _covers(accepted, one)]
        if not both:
            raise NotExpectable("another test of this request expects another status")
        self.keys["status"] = both[0] if len(both) == 1 else both

    def _rule(self, value: ScriptValue, rule: Keys) -> None:
        key, name = (
            ("json", json_path(value.path)) if value.kind == "json" else ("header", value.name)
        )
        rules = self.keys.setdefault(key, {})
        assert isinstance(rules, dict)
        before = rules.get(name)
        kept: Keys = before if isinstance(before, dict) else {"is": before} if name in rules else {}
        pattern = rule.get("matches")
        if isinstance(pattern, str):
            rule = {**rule, "matches": literal(pattern)}
        merged = _merged(kept, rule)
        whole = merged.get("is")
        is_plain = set(merged) == {"is"} and not isinstance(whole, dict)
        rules[name] = whole if is_plain else merged

    def _text(self, key: str, text: str) -> None:
        text = literal(text)
        before = self.keys.get(key)
        if before is None:
            self.keys[key] = text
            return
        listed = before if isinstance(before, list) else [before]
        if text not in listed:
            self.keys[key] = [*listed, text]

    def _put(self, key: str, value: object) -> None:
        if self.keys.get(key, value) != value:
            raise NotExpectable(f"another test of this request says something else of `{key}`")
        self.keys[key] = value


def _sized(least: int | None, most: int | None) -> str:
    """Return a pattern for a text with so many characters."""
    if least == 1 and most is None:
        return r"[\s\S]"
    if least is not None and least == most:
        return rf"\A[\s\S]{{{least}}}\Z"
    return rf"\A[\s\S]{{{max(0, least or 0)},{'' if most is None else max(0, most)}}}\Z"


def _merged(before: Keys, rule: Keys) -> Keys:
    found = dict(before)
    for key, value in rule.items():
        if key == "exists" and value is True and found:
            continue
        if key in found and found[key] != value:
            join = _JOINS.get(key)
            if join is None:
                raise NotExpectable(f"two tests say different things of it: a rule has one `{key}`")
            value = join(found[key], value)  # noqa: PLW2901 - both at once
        found[key] = value
    if set(found) > {"exists"} and found.get("exists") is True:
        del found["exists"]
    return found


def _both_patterns(before: object, value: object) -> object:
    return f"^(?=[\\s\\S]*?(?:{before}))(?=[\\s\\S]*?(?:{value}))"


def _both_lengths(before: object, value: object) -> object:
    if isinstance(before, dict) and isinstance(value, dict):
        return {**before, **value}
    return value if isinstance(before, dict) else before


_JOINS: Final[dict[str, Callable[[object, object], object]]] = {
    "matches": _both_patterns,
    "length": _both_lengths,
    "min": lambda before, value: before if _number(before) >= _number(value) else value,
    "max": lambda before, value: before if _number(before) <= _number(value) else value,
}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _covers(accepted: list[object], one: object) -> bool:
    return one in accepted or (isinstance(one, int) and f"{one // 100}xx" in accepted)


def _status(wanted: object) -> object:
    if isinstance(wanted, str):
        found = _WORDS.get(wanted.strip().lower())
        if found is None and wanted.strip().isdigit():
            found = int(wanted)
        wanted = found
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 100 <= wanted <= 599:
        raise NotExpectable("no server replies with this status")
    return wanted


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise NotExpectable(NO_RULE)
    return value


def _json_word(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, int | float) else ""


def _literal(value: object) -> object:
    """Return a constant so that a plan takes it as it stands, deep inside too."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, list):
        return [_literal(one) for one in value]
    if isinstance(value, dict):
        return {key: _literal(one) for key, one in value.items()}
    return value


def escape_pattern(text: str) -> str:
    """Return text as a regular expression that finds it; only what is special is escaped."""
    return re.sub(r"[.^$*+?{}\[\]\\|()]", r"\\\g<0>", text)
