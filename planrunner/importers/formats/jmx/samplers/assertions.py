"""Assertions → expectations of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.jmx.elements import JmxElement, JmxProperty
from planrunner.importers.formats.jmx.samplers.timers import milliseconds
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.language.patterns.pattern import PatternError, compile_pattern
from planrunner.protocols.jsonpath import JsonPathError, compile_path

__all__ = ["expect_of"]

_MATCH, _CONTAINS, _NOT, _EQUALS, _SUBSTRING, _OR = 1, 2, 4, 8, 16, 32
_CLASS: Final = re.compile(
    r"\^?([1-5])(?:\\d\\d|\\d\{2\}|\.\.|\[0-9\]\[0-9\]|\.\*|xx|\[0-9\]\{2\})\$?"
)
_HINTS: Final = {
    "XPathAssertion": "nothing may match: write `not_contains`",
    "XPath2Assertion": "nothing may match: write `not_contains`",
    "XMLAssertion": "replies aren't parsed as XML: write `matches`",
    "HTMLAssertion": "replies aren't checked as HTML: write `contains`",
    "XMLSchemaAssertion": "XML schemas aren't checked: write `contains`",
    "MD5HexAssertion": "bodies have no digest: write `contains`",
    "JMESPathAssertion": "write `json` with a JSONPath",
    "CompareAssertion": "replies aren't compared with each other: write `contains`",
}


def expect_of(assertion: JmxElement, expect: Keys, resolver: JmxResolver) -> None:
    """Add what an assertion asks to the expectations of a request."""
    add = _KINDS.get(assertion.kind)
    if add is None:
        hint = _HINTS.get(assertion.kind, "its script judges the reply: write `expect`")
        assertion.leave_out(hint)
        return
    assertion.settle()
    assertion.take("Scope.variable")
    if assertion.take("Assertion.scope", "parent") not in ("parent", "all", ""):
        assertion.judge("Assertion.scope", "it judges the reply, not a variable or a part of it")
        if assertion.peek("Assertion.scope") == "variable":
            assertion.leave_out("it judges a variable: write `if` and `stop`")
            return
    add(assertion, expect, resolver)


def _response(assertion: JmxElement, expect: Keys, resolver: JmxResolver) -> None:
    name = "Asserion.test_strings"
    if name not in assertion.properties:
        name = "Assertion.test_strings"
    patterns = [one for one in assertion.entries(name) if one.text]
    raw = assertion.take("Assertion.test_type", "2").strip()
    kind = int(raw) if raw.isdigit() else _CONTAINS
    where = assertion.take("Assertion.test_field", "Assertion.response_data")
    assertion.take("Assertion.custom_message")
    ignores = assertion.flag("Assertion.assume_success")
    read = _FIELDS.get(where.rpartition(".")[2])
    if read is None:
        assertion.judge("Assertion.test_field", "a plan has no expectation of this: left out")
        _leave(patterns, "this part of a sample can't be judged: write `contains` or `status`")
        return
    if ignores and "status" not in expect and read is not _status:
        expect["status"] = ["1xx", "2xx", "3xx", "4xx", "5xx"]
    read(patterns, kind, expect, resolver)


def _leave(patterns: list[JmxProperty], why: str) -> None:
    for one in patterns:
        one.construct.left_out(why)


def _status(patterns: list[JmxProperty], kind: int, expect: Keys, resolver: JmxResolver) -> None:
    codes = [code for one in patterns for code in _codes(one, resolver)]
    if codes and kind & _NOT:
        codes = _other_codes(codes, patterns)
    if codes:
        expect["status"] = codes[0] if len(codes) == 1 else codes


def _codes(one: JmxProperty, resolver: JmxResolver) -> list[object]:
    """Return the codes that a pattern means; none, judged, where it is more."""
    text = one.read().strip()
    if "${" in text:
        code = resolver.text(text, one.construct)
        if re.fullmatch(r"\$\{[^{}]*\}", code):
            return [code]
    elif re.fullmatch(r"[\^(]*\d{3}(?:\s*[|,]\s*\d{3})*[)$]*", text):
        found = [int(each) for each in re.findall(r"[1-5]\d\d", text)]
        if found:
            return [*found]
    elif re.fullmatch(r"[1-5]", text):
        return [f"{text}xx"]
    elif match := _CLASS.fullmatch(text):
        return [f"{match[1]}xx"]
    one.construct.left_out("write the codes: `status: [200, 201]`")
    return []


def _other_codes(codes: list[object], patterns: list[JmxProperty]) -> list[object]:
    """Return all classes but those of codes that must not come."""
    classes = {f"{str(code)[0]}xx" for code in codes}
    if any(isinstance(code, int) for code in codes):
        for one in patterns:
            one.construct.changed("the whole class of this code is a failure")
    return [name for name in ("2xx", "3xx", "4xx", "5xx") if name not in classes] or ["2xx"]


def _body(patterns: list[JmxProperty], kind: int, expect: Keys, resolver: JmxResolver) -> None:
    texts = [(one, resolver.text(one.read(), one.construct)) for one in patterns]
    is_plain = bool(kind & _SUBSTRING)
    if kind & _OR and len(texts) > 1 and not kind & _NOT:
        either = "|".join(f"(?:{re.escape(text) if is_plain else text})" for _, text in texts)
        texts, is_plain = [(texts[0][0], either)], False
    negative = "not_" if kind & _NOT else ""
    if kind & _EQUALS:
        texts, is_plain = [(one, f"^{_escaped(text)}$") for one, text in texts], False
    elif kind & _MATCH:
        texts = [(one, f"^(?:{text})$") for one, text in texts]
    for one, text in texts:
        is_known = is_plain or all(
            resolver.is_static(each.text, one.construct) for each in patterns
        )
        is_text = is_plain or (not is_known and _is_plain(text))
        key = f"{negative}{'contains' if is_text else 'matches'}"
        if not is_text and not is_known:
            one.construct.left_out(_UNKNOWN_PATTERN)
        elif not is_text and not _is_pattern(text):
            one.construct.left_out(
                "it is not a regular expression that a plan knows: write `contains`"
            )
        else:
            _add(expect, key, text)


_UNKNOWN_PATTERN: Final = "a pattern must be known before the run: write `contains`"


def _is_plain(text: str) -> bool:
    """Say whether a pattern means itself, but for its expressions."""
    return re.search(r"[.\\*+?()\[\]^$|{}]", re.sub(r"\$\{[^{}]*\}", "", text)) is None


def _escaped(text: str) -> str:
    """Return text as a pattern; expressions stay as they are."""
    return "".join(
        part if number % 2 else re.escape(part)
        for number, part in enumerate(re.split(r"(\$\{[^{}]*\})", text))
    )


def _is_pattern(text: str) -> bool:
    try:
        compile_pattern(re.sub(r"\$\{[^{}]*\}", "x", text))
    except PatternError:
        return False
    return True


def _add(expect: Keys, key: str, text: str) -> None:
    """Add one more text to an expectation that takes several."""
    before = expect.get(key)
    texts = [*(before if isinstance(before, list) else [before] if before else [])]
    if text not in texts:
        expect[key] = [*texts, text] if texts else text


def _headers(patterns: list[JmxProperty], kind: int, expect: Keys, resolver: JmxResolver) -> None:
    for one in patterns:
        found = re.fullmatch(r"([A-Za-z][A-Za-z0-9-]*):\s*(.+)", one.text.strip(), re.DOTALL)
        line = re.fullmatch(r"HTTP/\d(?:\.\d)? (\d{3}).*", one.text.strip())
        if line:
            one.construct.translated()
            expect["status"] = int(line[1])
            continue
        alone = re.fullmatch(r"([A-Z][a-zA-Z0-9]*(?:-[A-Z][A-Za-z0-9]*)+):?", one.text.strip())
        if kind & _NOT or not (found or alone):
            one.construct.left_out("name the header: `header: {Name: {matches: …}}`")
            continue
        one.construct.translated()
        is_known = found is None or resolver.is_static(found[2], one.construct)
        if not is_known and not kind & _EQUALS:
            one.construct.left_out(_UNKNOWN_PATTERN)
            continue
        headers = expect.setdefault("header", {})
        assert isinstance(headers, dict)
        if found is None:
            assert alone is not None
            headers[alone[1]] = {"exists": True}
            continue
        text = resolver.text(found[2], one.construct)
        if not is_known:
            headers[found[1]] = text
            continue
        text = _escaped(text) if kind & (_SUBSTRING | _EQUALS) else text
        headers[found[1]] = {"matches": text if _is_pattern(text) else re.escape(text)}


_REASONS: Final = {
    "ok": 200,
    "created": 201,
    "accepted": 202,
    "no content": 204,
    "bad request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not found": 404,
    "found": 302,
    "conflict": 409,
}


def _message(patterns: list[JmxProperty], kind: int, expect: Keys, _resolver: JmxResolver) -> None:
    for one in patterns:
        code = _REASONS.get(one.text.strip().strip("^$").lower())
        if code is None or kind & _NOT:
            one.construct.left_out("reason phrases aren't judged: write `status`")
            continue
        one.construct.changed("its status is judged, not the phrase after it")
        expect.setdefault("status", code)


def _url(patterns: list[JmxProperty], kind: int, expect: Keys, resolver: JmxResolver) -> None:
    for one in patterns:
        text = resolver.text(one.text, one.construct)
        if kind & _NOT or "url" in expect:
            one.construct.left_out("one URL can be expected: `url: {matches: …}`")
            continue
        if not resolver.is_static(one.text, one.construct):
            one.construct.left_out(_UNKNOWN_PATTERN)
            continue
        one.construct.translated()
        text = _escaped(text) if kind & (_SUBSTRING | _EQUALS) else text
        expect["url"] = {"matches": text if _is_pattern(text) else re.escape(text)}


_FIELDS: Final = {
    "response_code": _status,
    "response_data": _body,
    "response_data_as_document": _body,
    "response_headers": _headers,
    "response_message": _message,
    "sample_label": _url,
}


def _duration(assertion: JmxElement, expect: Keys, resolver: JmxResolver) -> None:
    text = assertion.take("DurationAssertion.duration").strip()
    if text.isdigit() and int(text):
        expect["time"] = f"< {milliseconds(int(text))}"
    elif "${" in text:
        construct = assertion.properties["DurationAssertion.duration"].construct
        value = resolver.expression(text, construct)
        if value.is_static:
            expect["time"] = f"< ${{{value.code}}}ms"
        else:
            construct.left_out("a limit must be known before the run: write `time: < 1s`")


def _json(assertion: JmxElement, expect: Keys, resolver: JmxResolver) -> None:
    path = assertion.take("JSON_PATH").strip()
    prop = assertion.properties.get("JSON_PATH")
    negative = assertion.flag("INVERT")
    assertion.flag("ISREGEX")
    assertion.take("EXPECTED_VALUE")
    wanted: object = {"exists": not negative}
    if assertion.flag("EXPECT_NULL"):
        wanted = None
    elif assertion.flag("JSONVALIDATION"):
        wanted = _wanted(assertion, resolver)
    if prop is None or not _is_path(path):
        if prop is not None:
            prop.construct.left_out("its JSONPath is more than a plan knows: write `matches`")
        return
    if negative and wanted != {"exists": False}:
        assertion.judge("INVERT", "a value that must not come can't be expected; only the path is")
        wanted = {"exists": True}
    paths = expect.setdefault("json", {})
    assert isinstance(paths, dict)
    paths[_rooted(path)] = wanted


def _wanted(assertion: JmxElement, resolver: JmxResolver) -> object:
    prop = assertion.properties.get("EXPECTED_VALUE")
    if prop is None:
        return ""
    text = resolver.text(prop.read(), prop.construct)
    if resolver.is_static(prop.text, prop.construct):
        return _known(assertion, text)
    if assertion.flag("ISREGEX", default=True) and not _is_plain(text):
        prop.construct.left_out(_UNKNOWN_PATTERN)
        return {"exists": True}
    return text


def _known(assertion: JmxElement, text: str) -> object:
    if assertion.flag("ISREGEX", default=True):
        if re.fullmatch(r"[\w @:/-]*", text) and not re.fullmatch(
            r"-?\d+(\.\d+)?|true|false", text
        ):
            return text
        if _is_pattern(text) and re.search(r"[.\\*+?()\[\]^$|]", text):
            return {"matches": f"^(?:{text})$"}
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(found, dict | list) else found


def _is_path(path: str) -> bool:
    if "${" in path:
        return False
    try:
        compile_path(_rooted(path))
    except JsonPathError:
        return False
    return True


def _rooted(path: str) -> str:
    return path if path.startswith("$") else f"$.{path}"


def _size(assertion: JmxElement, _expect: Keys, _resolver: JmxResolver) -> None:
    for name in ("SizeAssertion.size", "SizeAssertion.operator"):
        if name in assertion.properties:
            assertion.properties[name].construct.left_out(
                "sizes are judged over all samples: write a threshold, `max size of NAME < 10KB`"
            )
    assertion.construct.left_out(
        "sizes are judged over all samples: write a threshold, `max size of NAME < 10KB`"
    )
    assertion.take("Assertion.test_field")


_KINDS: Final[dict[str, Callable[[JmxElement, Keys, JmxResolver], None]]] = {
    "ResponseAssertion": _response,
    "DurationAssertion": _duration,
    "JSONPathAssertion": _json,
    "SizeAssertion": _size,
}
