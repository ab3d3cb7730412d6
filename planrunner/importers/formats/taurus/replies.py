"""What a request of Taurus takes and expects of its reply."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.taurus.templates import TaurusTemplates
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out
from planrunner.importers.reading.paths import json_path
from planrunner.importers.reading.patterns import only_group

__all__ = ["TaurusReplies"]

_NOT_FOUND: Final = "NOT_FOUND"
_EXPRESSIONS: Final = ("jsonpath", "regexp", "expression", "xpath", "css")
_CODES: Final = range(100, 600)


class TaurusReplies:
    """Reads extractors and assertions of a request."""

    def __init__(self, templates: TaurusTemplates) -> None:
        self.templates = templates

    def expect(self, request: SourceNode, step: Keys) -> None:
        """Add `expect` to a step."""
        expect: Keys = {}
        for key, read in (("assert", self._assert), ("assert-jsonpath", self._json)):
            entry = request.entry(key)
            if entry is not None:
                entry.construct.translated()
                for one in entry.node.each():
                    read(entry, one, expect)
        xpath = request.entry("assert-xpath")
        if xpath is not None:
            leave_out(xpath, "check it with `contains` or `matches`: no XPath is expected")
        if expect:
            step["expect"] = expect

    def extract(self, request: SourceNode, step: Keys) -> None:
        """Add `extract` to a step; its names are known from here on."""
        extract: Keys = {}
        for key, where in _EXTRACTORS.items():
            entry = request.entry(key)
            if entry is None:
                continue
            entry.construct.translated()
            for one in entry.node.entries or []:
                found = self._where(one, where)
                if found is not None:
                    extract[self.templates.names.assign(one.key)] = found
        if extract:
            step["extract"] = extract

    def _where(
        self, one: SourceEntry, where: Callable[[str, SourceNode], Keys | None]
    ) -> Keys | None:
        one.construct.translated()
        node = one.node
        text = node.text()
        for key in _EXPRESSIONS:
            text = text or str(node.take_whole(key) or "")
        found = where(self.templates.text(text, one.construct), node)
        subject = str(node.take_whole("subject") or "body")
        if found is None or not subject.startswith("body"):
            leave_out(one, f"take the value with `extract` of another place: {text} of {subject}")
            return None
        default = node.take_whole("default")
        number = node.take_whole("match-no")
        if number in (0, "0", -1, "-1"):
            found["index"] = "random" if str(number) == "0" else "all"
        elif number not in (None, 1, "1"):
            one.construct.changed("the first match is taken")
        for key in ("scope", "use-tolerant-parser", "validate-xml", "ignore-whitespace"):
            node.take_whole(key)
        return {**found, "default": _NOT_FOUND if default is None else default}

    def _assert(self, entry: SourceEntry, node: SourceNode, expect: Keys) -> None:
        if not node.is_mapping:
            text = self.templates.text(node.text(), entry.construct)
            _append(expect, "matches" if _is_pattern(text) else "contains", text)
            return
        contains = node.entry("contains")
        if contains is None:
            return
        subject = str(node.take_whole("subject") or "body")
        regexp, inverts = node.take_whole("regexp") is not False, node.take_whole("not") is True
        contains.construct.translated()
        if node.take_whole("assume-success") is True and subject != "http-code":
            expect.setdefault("status", ["2xx", "3xx", "4xx", "5xx"])
        words = [
            self.templates.text(one.text(), contains.construct) for one in contains.node.each()
        ]
        if subject == "http-code":
            self._codes(contains, words, expect, inverts=inverts)
        elif subject == "body":
            for one in words:
                is_pattern = regexp and _is_pattern(one)
                key = ("not_" if inverts else "") + ("matches" if is_pattern else "contains")
                _append(expect, key, one)
        else:
            contains.construct.left_out(f"check {subject} with `expect: {{header: …}}`")

    def _codes(self, at: SourceEntry, words: list[str], expect: Keys, *, inverts: bool) -> None:
        try:
            patterns = [re.compile(one) for one in words]
        except re.error:
            at.construct.left_out("name the statuses: `expect: {status: …}`")
            return
        found = [
            code for code in _CODES if all(one.search(str(code)) for one in patterns) is not inverts
        ]
        named = [
            f"{first}xx"
            for first in "12345"
            if all(int(first) * 100 + n in found for n in range(100))
        ]
        rest: list[object] = [code for code in found if f"{code // 100}xx" not in named]
        if not found or len(rest) > 20:
            at.construct.left_out("name the statuses: `expect: {status: …}`")
            return
        both = [*named, *rest]
        expect["status"] = both[0] if len(both) == 1 else both

    def _json(self, entry: SourceEntry, node: SourceNode, expect: Keys) -> None:
        path = node.take("jsonpath") if node.is_mapping else node
        found = json_path(self.templates.text(path.text(), entry.construct)) if path else None
        inverts = node.take_whole("invert") is True
        expected, validates = node.entry("expected-value"), node.take_whole("validate")
        is_pattern = node.take_whole("regexp") is not False
        is_null = node.take_whole("expect-null") is True
        if found is None:
            entry.construct.left_out("write a JSONPath for it: `expect: {json: …}`")
            return
        rule: object = {"exists": not inverts}
        if is_null:
            rule = {"is": None}
        elif expected is not None:
            expected.construct.translated()
            if validates is not False and not inverts:
                rule = self._rule(expected, is_pattern=is_pattern)
        rules = expect.setdefault("json", {})
        assert isinstance(rules, dict)
        rules.setdefault(found, rule)

    def _rule(self, expected: SourceEntry, *, is_pattern: bool) -> object:
        text = self.templates.text(expected.node.text(), expected.construct)
        if text.isdigit():
            return {"in": [int(text), text]}
        pattern = f"^(?:{text})$"
        if is_pattern and re.search(r"[\\.*+?\[\](){}|^]", text) and "${" not in text:
            return {"matches": pattern} if _is_pattern(pattern) else text
        return text


def _json_path(text: str, node: SourceNode) -> Keys | None:
    node.take_whole("concat")
    path = json_path(text)
    return {"jsonpath": path} if path is not None else None


def _regexp(text: str, node: SourceNode) -> Keys | None:
    template = node.take_whole("template")
    group = re.sub(r"\$", "", str(template)) if template is not None else "1"
    try:
        if not re.compile(text).groups:
            return {"regex": text}
    except re.error:
        return None
    return {"regex": only_group(text, group)} if group.isdigit() and group != "0" else None


def _css(text: str, node: SourceNode) -> Keys | None:
    attribute = node.take_whole("attribute")
    return {"css": f"{text}::attr({attribute})" if attribute else f"{text}::text"} if text else None


def _xpath(text: str, node: SourceNode) -> Keys | None:
    return {"xpath": text} if text else None


def _boundary(text: str, node: SourceNode) -> Keys | None:
    left, right = node.take_whole("left"), node.take_whole("right")
    return {"regex": f"{re.escape(str(left))}(.*?){re.escape(str(right))}"} if left else None


_EXTRACTORS: Final[dict[str, Callable[[str, SourceNode], Keys | None]]] = {
    "extract-jsonpath": _json_path,
    "extract-regexp": _regexp,
    "extract-css-jquery": _css,
    "extract-xpath": _xpath,
    "extract-boundary": _boundary,
}


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _append(expect: Keys, key: str, text: str) -> None:
    known = expect.setdefault(key, [])
    assert isinstance(known, list)
    known.append(text)
