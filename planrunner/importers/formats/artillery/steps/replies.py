"""What a request of Artillery asks of its reply: `capture`, `match`, `expect`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import suspect, suspect_the_rest
from planrunner.importers.reading.paths import json_path
from planrunner.importers.reading.patterns import only_group
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.loss.ledger import Construct

__all__ = ["RepliesReader"]

_MANY: Final = re.compile(r"\*|\.\.|\?\(|\[\d*:\d*\]|\[[^\]]*,")
_NAMED: Final = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_UNSET: Final = "nothing sets this variable; the value of that name in the reply must be meant"
_BOTH: Final = "it fails the request, as the `match` beside it does"
_NO_KEY: Final = "Artillery reads no such key of a capture"
_FIRST: Final = "Artillery makes one check of each item, the first; here it is made"
_EITHER: Final = re.compile(r"\s*[1-5]\d{2}(?:\s*(?:,|\||/|or)\s*[1-5]\d{2})+\s*")
_NO_NUMBER: Final = "Artillery takes a number or a list here; this is what must be meant"
_OTHER: Final = "Artillery's `expect` has no such check, and does not make it"


class RepliesReader:
    """Reads the keys of a request that look at its reply into keys of a step."""

    def __init__(self, expressions: ArtilleryExpressions, *, strict: bool, checks: bool) -> None:
        self.expressions, self.strict, self.checks = expressions, strict, checks
        self.names = expressions.test.names

    def read(self, request: SourceNode, step: Keys) -> None:
        """Add `extract` and `expect` to a step; captures are known from here on."""
        expect: Keys = {}
        matched = request.entry("match")
        if matched is not None:
            matched.construct.translated()
            for one in matched.node.each():
                self._match(one, expect)
            self.expressions.test.matches.append((matched.construct, step))
        expected = request.entry("expect")
        if expected is not None:
            checked: Keys = {}
            self._expect(expected, request, checked)
            self._add(expected, checked, expect)
            self.expressions.test.expects.append(step)
        extract: Keys = {}
        captured = request.entry("capture")
        if captured is not None:
            captured.construct.translated()
            for one in captured.node.each():
                self._capture(one, extract)
        step.update({key: one for key, one in (("expect", expect), ("extract", extract)) if one})

    def _add(self, entry: SourceEntry, checked: Keys, expect: Keys) -> None:
        """Add what the plug-in checks: no visit fails for it, as it does for a `match`."""
        both = expect.keys() & checked.keys()
        for key in both:
            expect[key] = {**_sub(checked, key), **_sub(expect, key)}
        soft = [key for key in checked if key not in both]
        if not self.expressions.test.fails_visits:
            if both:
                entry.construct.changed(_BOTH)
            if soft:
                checked["soft"] = soft if expect else True
        expect.update({key: one for key, one in checked.items() if key not in both})

    def _capture(self, node: SourceNode, extract: Keys) -> None:
        named, found = node.take("as"), self._where(node)
        if found is None or named is None:
            return
        strict = node.take_whole("strict")
        if strict is False or (strict is None and not self.strict):
            found["default"] = None
        suspect_the_rest(node, _NO_KEY)
        name = self.names.assign(named.text())
        extract[name] = found["jsonpath"] if set(found) == {"jsonpath"} else found

    def _where(self, node: SourceNode) -> Keys | None:
        """Return where a value is, as `extract` has it."""
        for kind, read in _KINDS.items():
            entry = node.entry(kind)
            if entry is not None and entry.node.scalar is not None:
                entry.construct.translated()
                where = self.expressions.text(entry.node.text(), entry.construct)
                return read(where, node, entry.construct)
        return None

    def _match(self, node: SourceNode, expect: Keys) -> None:
        value, path = node.entry("value"), node.entry("json")
        if value is None or path is None:
            for one in node.entries or []:
                one.construct.left_out("check it with `expect`: `contains`, `matches` or `header`")
            return
        value.construct.translated()
        path.construct.translated()
        node.take_whole("strict")
        wanted = self.expressions.value(value.node, value.construct)
        rule = {"is": wanted} if isinstance(wanted, dict) else wanted
        self._rule(path.node.text(), rule, path.construct, expect)

    def _rule(self, path: str, rule: object, at: Construct, expect: Keys) -> None:
        """Add what must be at a path, unless something is expected there already."""
        found = json_path(self.expressions.text(path, at))
        if found is None:
            at.left_out(f"write a JSONPath for `{path}`")
            return
        rules = _sub(expect, "json")
        rules.setdefault(found, rule)

    def _expect(self, entry: SourceEntry, request: SourceNode, expect: Keys) -> None:
        entry.construct.translated()
        if not self.checks:
            self.expressions.test.unchecked.append(entry.construct)
        for node in entry.node.each():
            for number, one in enumerate(node.entries or []):
                if number and entry.node.is_list:
                    one.construct.suspicious(_FIRST)
                read = _CHECKS.get(one.key)
                if read is None:
                    suspect(one, _OTHER)
                    continue
                one.construct.translated()
                read(self, one, request, expect)

    def _text(self, one: SourceEntry) -> str:
        return self.expressions.text(one.node.text(), one.construct)

    def status(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        if either := _EITHER.fullmatch(one.node.text()):
            one.construct.suspicious(_NO_NUMBER)
            expect["status"] = [int(code) for code in re.findall(r"\d{3}", either[0])]
            return
        found = [_code(self.expressions.value(node, one.construct)) for node in one.node.each()]
        if not all(self._is_status(code) for code in found):
            one.construct.left_out("name the statuses: `expect: {status: …}`")
            return
        expect["status"] = found[0] if len(found) == 1 else found or "2xx"

    def _is_status(self, code: object) -> bool:
        """Say whether a value is a status; a param that gives one gets a value that is."""
        if isinstance(code, str) and code.startswith("${"):
            param = self.names.params.get(code[2:-1])
            if param is not None and isinstance(param.spec, dict) and not param.spec.get("default"):
                param.spec = {**param.spec, "default": "200"}
            return True
        return isinstance(code, int) and 100 <= code <= 599

    def not_status(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        families = {node.text()[:1] for node in one.node.each()}
        expect["status"] = [f"{first}xx" for first in "2345" if first not in families]
        one.construct.changed("no status of that class is accepted, not only those it names")

    def content_type(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        wanted = self._text(one)
        _sub(expect, "header")["Content-Type"] = {"matches": "json"} if wanted == "json" else wanted

    def has_property(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        exists = one.key != "notHasProperty"
        for node in one.node.each():
            self._rule(node.text(), {"exists": exists}, one.construct, expect)

    def has_header(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        _sub(expect, "header").setdefault(self._text(one), {"exists": True})

    def header_equals(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        pair = [self.expressions.text(node.text(), one.construct) for node in one.node.each()]
        if len(pair) == 2:
            _sub(expect, "header")[pair[0]] = pair[1]
        else:
            one.construct.suspicious("it takes a list of a header's name and its value")

    def matches(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        pattern = self._text(one)
        try:
            re.compile(pattern)
        except re.error:
            one.construct.left_out("write the regular expression in Python's syntax: `matches`")
            return
        known = expect.setdefault("matches", [])
        assert isinstance(known, list)
        known.append(pattern)

    def equals(self, one: SourceEntry, request: SourceNode, expect: Keys) -> None:
        """Compare a value that this request captures with another one."""
        captures = {
            f"{{{{{node.get('as').text()}}}}}": node.get("json")  # type: ignore[union-attr]
            for node in (request.get("capture") or SourceNode(one.construct.place, items=[])).each()
            if node.get("as") is not None and node.get("json") is not None
        }
        values = [node.text() for node in one.node.each()]
        for first, second in ((values[:1], values[1:]), (values[1:], values[:1])):
            path = captures.get(re.sub(r"\s", "", first[0])) if len(values) == 2 else None
            if path is not None:
                value = self.expressions.text(second[0], one.construct)
                self._rule(path.text(), value, one.construct, expect)
                return
        if not self._part_of_reply(values, one, expect):
            one.construct.left_out("compare the values with `expect: {json: {PATH: VALUE}}`")

    def _part_of_reply(self, values: list[str], one: SourceEntry, expect: Keys) -> bool:
        """Read `equals: ['{{ a }}', up]` where nothing sets `a`: the reply must have it."""
        found = _NAMED.fullmatch(values[0]) if len(values) == 2 else None
        if found is None or "{{" in values[1] or self.names.find(found[1].partition(".")[0]):
            return False
        path, dot, last = found[1].rpartition(".")
        wanted = self.expressions.value(one.node.each()[1], one.construct)
        if dot and last == "length" and isinstance(wanted, int):
            self._rule(path, {"length": wanted}, one.construct, expect)
        else:
            self._rule(found[1], wanted, one.construct, expect)
        one.construct.suspicious(_UNSET)
        return True

    def cdn_hit(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        word = "(?i)^(hit|stale)" if one.node.scalar is not False else "(?i)^miss"
        _sub(expect, "header")["X-Cache"] = {"matches": word}
        one.construct.changed("only `X-Cache` is looked at, not the headers of other CDNs")

    def jmespath(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        if re.fullmatch(r"[\w.\[\]]+", one.node.text()):
            self._rule(one.node.text(), {"exists": True}, one.construct, expect)
        else:
            one.construct.left_out("check it with a JSONPath: `expect: {json: {PATH: RULE}}`")

    def time(self, one: SourceEntry, _: SourceNode, expect: Keys) -> None:
        value = one.node.get("max") or one.node
        limit = read_seconds(value.scalar)
        one.construct.suspicious("Artillery's `expect` checks no times; here they are checked")
        for below in one.node.below():
            below.construct.suspicious("Artillery's `expect` checks no times")
        if limit is not None:
            is_plain = isinstance(value.scalar, int | float) or value.text().isdigit()
            expect["time"] = f"< {seconds(limit / 1000 if is_plain else limit)}"


_CHECKS: Final[dict[str, Callable[[RepliesReader, SourceEntry, SourceNode, Keys], None]]] = {
    "statusCode": RepliesReader.status,
    "notStatusCode": RepliesReader.not_status,
    "contentType": RepliesReader.content_type,
    "hasProperty": RepliesReader.has_property,
    "notHasProperty": RepliesReader.has_property,
    "hasHeader": RepliesReader.has_header,
    "headerEquals": RepliesReader.header_equals,
    "matchesRegexp": RepliesReader.matches,
    "equals": RepliesReader.equals,
    "cdnHit": RepliesReader.cdn_hit,
    "jmespath": RepliesReader.jmespath,
    "jpath": RepliesReader.jmespath,
    **dict.fromkeys(("responseTime", "maxResponseTime", "responseTimeMs"), RepliesReader.time),
}


def _json(where: str, node: SourceNode, at: Construct) -> Keys:
    path = json_path(where)
    if path is None:
        at.left_out(f"write a JSONPath for `{where}`")
        return {"jsonpath": "$", "default": None}
    multiple = node.take_whole("multiple")
    if multiple is False:
        return {"jsonpath": path, "index": "all"} if _MANY.search(path) else {"jsonpath": path}
    return {"jsonpath": path, "index": "random"} if _MANY.search(path) else {"jsonpath": path}


def _regex(where: str, node: SourceNode, at: Construct) -> Keys:
    group, flags = node.take_whole("group"), node.take_whole("flags")
    pattern = only_group(where, group)
    letters = "".join(one for one in "ims" if one in str(flags or ""))
    pattern = f"(?{letters}){pattern}" if letters else pattern
    try:
        re.compile(pattern)
    except re.error:
        at.left_out("write the regular expression in Python's syntax")
        return {"regex": "(.*)", "default": None}
    return {"regex": pattern}


def _header(where: str, node: SourceNode, at: Construct) -> Keys:
    return {"header": where}


def _xpath(where: str, node: SourceNode, at: Construct) -> Keys:
    if _is_xpath(where):
        return {"xpath": where}
    at.suspicious("not an XPath: it finds nothing")
    return {"regex": "$^", "default": None}


def _is_xpath(where: str) -> bool:
    try:
        from lxml import etree  # noqa: PLC0415 - an extra
    except ImportError:
        return True
    try:
        etree.XPath(where)
    except (etree.XPathError, ValueError):
        return False
    return True


def _selector(where: str, node: SourceNode, at: Construct) -> Keys:
    attribute, index = node.take_whole("attr"), node.take_whole("index")
    found: Keys = {"css": f"{where}::attr({attribute})" if attribute else where}
    if index in ("random", "last"):
        found["index"] = index
    elif index not in (None, 0, "0"):
        at.changed("the first match is taken; name the element in the selector")
    return found


_KINDS: Final[dict[str, Callable[[str, SourceNode, Construct], Keys]]] = {
    "json": _json,
    "regexp": _regex,
    "header": _header,
    "xpath": _xpath,
    "selector": _selector,
}


def _sub(keys: Keys, name: str) -> Keys:
    found = keys.setdefault(name, {})
    assert isinstance(found, dict)
    return found


def _code(value: object) -> object:
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value
