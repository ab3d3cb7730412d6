"""Extractors → `extract` of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.language.patterns.pattern import PatternError, compile_pattern
from planrunner.protocols.jsonpath import JsonPathError, compile_path

__all__ = ["EXTRACTORS", "extract_expected", "extract_of", "names_set", "status_name"]


def names_set(element: JmxElement) -> Iterator[tuple[str, bool]]:
    """Yield the names that an extractor sets, each with whether it is a list of all matches."""
    source = EXTRACTORS.get(element.kind)
    if source is None:
        return
    _, name, number, _ = source
    numbers = element.peek(number).split(";")
    for position, one in enumerate(element.peek(name).split(";")):
        match = numbers[min(position, len(numbers) - 1)].strip()
        if one.strip():
            yield one.strip(), match == "-1"


def status_name(element: JmxElement) -> str:
    """Return the variable that gets the whole status of a reply; empty where none does."""
    if element.kind != "RegexExtractor" or element.peek("RegexExtractor.useHeaders") != "code":
        return ""
    is_whole = element.peek("RegexExtractor.regex").strip() in ("(.*)", "(.+)", r"(\d+)", r"(\d*)")
    return element.peek("RegexExtractor.refname").strip() if is_whole else ""


def extract_of(element: JmxElement, extract: Keys, resolver: JmxResolver) -> None:
    """Add what an extractor takes to the extractions of a request."""
    read, name, number, default = EXTRACTORS[element.kind]
    element.settle()
    element.take("Scope.variable")
    if element.take("Sample.scope", "parent") == "variable":
        element.judge("Sample.scope", "it reads a variable; here it reads the reply")
        if "Scope.variable" in element.properties:
            element.properties["Scope.variable"].construct.left_out(
                "extractions read replies: write `set` with a filter"
            )
    names = [one.strip() for one in element.take(name).split(";")]
    numbers, defaults = element.take(number, "1").split(";"), _defaults(element, default)
    for position, each in enumerate(names):
        keys = read(element, position, resolver) if each else None
        if keys is None:
            continue
        index = numbers[min(position, len(numbers) - 1)].strip()
        _index(element, number, index, keys)
        raw = defaults[min(position, len(defaults) - 1)]
        has_default = raw is not None and keys.get("index") != "all"
        if has_default:
            keys["default"] = resolver.text(raw or "", element.construct)
        elif keys.get("index") == "all":
            keys["default"] = []
        else:
            keys["required"] = False
        extract[resolver.variables.set(each, may_fail=not has_default)] = keys


def _defaults(element: JmxElement, name: str) -> list[str | None]:
    """Return the defaults; None where a name keeps its value, as regular expressions do."""
    text = element.take(name)
    sets_empty = element.flag("RegexExtractor.default_empty_value") or element.flag(
        "BoundaryExtractor.default_empty_value"
    )
    element.flag("HtmlExtractor.default_empty_value")
    if element.kind == "JSONPostProcessor":
        return [*text.split(";")]
    return [text if text or sets_empty else None]


def _index(element: JmxElement, name: str, index: str, keys: Keys) -> None:
    if index in ("", "1"):
        return
    if index == "-1":
        keys["index"] = "all"
    elif index == "0":
        keys["index"] = "random"
    elif name in element.properties:
        element.judge(name, "the first match is taken; `index: all` and `[2]` reads another one")


def _regex(element: JmxElement, _position: int, resolver: JmxResolver) -> Keys | None:
    where = element.take("RegexExtractor.useHeaders", "false").lower()
    pattern = element.take("RegexExtractor.regex")
    template = element.take("RegexExtractor.template", "$1$").strip()
    construct = element.properties.get("RegexExtractor.regex", None)
    if construct is None:
        return None
    if where in ("true", "request_headers"):
        return _header(element, pattern, where)
    if where == "code":
        element.judge("RegexExtractor.useHeaders", "write `status`, which every request has")
        return None
    if where not in ("false", "unescaped", "as_document", ""):
        element.judge("RegexExtractor.useHeaders", "the body is read; another part can't be")
    if template not in ("", "$1$", "$0$"):
        element.judge("RegexExtractor.template", "group 1 is taken, not the template's")
    if template == "$0$" and re.search(r"(?<!\\)\((?!\?)", pattern):
        pattern = f"({pattern})"
    return _pattern(element, "RegexExtractor.regex", pattern, resolver)


def _pattern(element: JmxElement, name: str, pattern: str, resolver: JmxResolver) -> Keys | None:
    construct = element.properties[name].construct
    text = resolver.text(pattern, construct)
    if not resolver.is_static(pattern, construct):
        construct.left_out("a pattern must be known before the run: write `jsonpath` or `css`")
        return None
    try:
        compile_pattern(re.sub(r"\$\{[^{}]*\}", "x", text))
    except PatternError:
        construct.left_out("it is not a regular expression that a plan knows: write `jsonpath`")
        return None
    return {"regex": text}


def _header(element: JmxElement, pattern: str, where: str) -> Keys | None:
    found = re.match(r"\^?\(?(?:\?[a-z]+\))?([A-Za-z][A-Za-z0-9-]*)\\?:\s*(.*)", pattern)
    if where == "request_headers" or found is None:
        element.properties["RegexExtractor.regex"].construct.left_out(
            "name the header of the reply: `extract: {x: {header: Location}}`"
        )
        return None
    cookie = (
        re.match(r"(?:\.\*)?\(?(\w[\w.-]*)=\(", found[2])
        if found[1].lower() == "set-cookie"
        else None
    )
    if cookie:
        return {"cookie": cookie[1]}
    if found[2] not in (
        "(.*)",
        "(.+)",
        "(.*?)$",
        "(.+?)$",
        r"(\S+)",
        "(.*)$",
        r"(.*)\n",
        r"(.+)\n",
    ):
        element.judge("RegexExtractor.regex", "the whole header is taken, not a part of it")
    return {"header": found[1]}


def _json(element: JmxElement, position: int, resolver: JmxResolver) -> Keys | None:
    name = {
        "JSONPostProcessor": "JSONPostProcessor.jsonPathExprs",
        "JSONPathExtractor": "JSONPATH",
    }[element.kind]
    return _path(element, name, position, resolver)


def _path(element: JmxElement, name: str, position: int, resolver: JmxResolver) -> Keys | None:
    prop = element.properties.get(name)
    paths = element.take(name).split(";")
    if prop is None or position >= len(paths) or not paths[position].strip():
        return None
    path = resolver.text(paths[position].strip(), prop.construct)
    if element.kind == "JMESPathExtractor" and not re.fullmatch(r"[\w.\[\]*-]+", path):
        prop.construct.left_out("JMESPath isn't spoken: write a JSONPath, `$.items[0].id`")
        return None
    path = path if path.startswith("$") else f"$.{path}" if not path.startswith("[") else f"${path}"
    try:
        compile_path(re.sub(r"\$\{[^{}]*\}", "x", path))
    except JsonPathError:
        prop.construct.left_out("its JSONPath is more than a plan knows: write `regex`")
        return None
    if "${" in path:
        prop.construct.left_out(
            "a JSONPath must be known before the run: write `set` with a filter"
        )
        return None
    return {"jsonpath": path}


def _jmes(element: JmxElement, position: int, resolver: JmxResolver) -> Keys | None:
    return _path(element, "JMESExtractor.jmesPathExpr", position, resolver)


def _boundary(element: JmxElement, _position: int, resolver: JmxResolver) -> Keys | None:
    left, right = (element.take(f"BoundaryExtractor.{side}boundary") for side in ("l", "r"))
    where = element.take("BoundaryExtractor.useHeaders", "false")
    if where not in ("false", ""):
        element.judge(
            "BoundaryExtractor.useHeaders", "the body is read; write `header` for a header"
        )
    pattern = f"{re.escape(left)}(.*?){re.escape(right)}" if right else f"{re.escape(left)}(.*)"
    if "BoundaryExtractor.lboundary" not in element.properties:
        return None
    if "${" in left + right:
        element.properties["BoundaryExtractor.lboundary"].construct.left_out(
            "boundaries must be known before the run: write `regex`"
        )
        return None
    return _pattern(element, "BoundaryExtractor.lboundary", pattern, resolver)


def _css(element: JmxElement, _position: int, resolver: JmxResolver) -> Keys | None:
    selector = element.take("HtmlExtractor.expr").strip()
    attribute = element.take("HtmlExtractor.attribute").strip()
    element.take("HtmlExtractor.extractor_impl")
    if not selector:
        return None
    if not _is_selector(selector):
        element.properties["HtmlExtractor.expr"].construct.left_out(
            "it is not a CSS selector that is known before the run: write `regex`"
        )
        return None
    return {"css": f"{selector}::{f'attr({attribute})' if attribute else 'text'}"}


def _is_selector(selector: str) -> bool:
    from cssselect import HTMLTranslator, SelectorError  # noqa: PLC0415 - of an extra

    try:
        HTMLTranslator().css_to_xpath(selector)
    except SelectorError:
        return False
    return "${" not in selector


def _xpath(element: JmxElement, _position: int, resolver: JmxResolver) -> Keys | None:
    name = "XPathExtractor.xpathQuery"
    if name not in element.properties:
        name = "XPathExtractor2.xpathQuery"
    prop = element.properties.get(name)
    query = element.take(name).strip()
    if prop is None or not query:
        return None
    if not _is_xpath(query):
        prop.construct.left_out(
            "it is not an XPath 1.0 that is known before the run: write `regex`"
        )
        return None
    return {"xpath": query}


def extract_expected(element: JmxElement, extract: Keys, resolver: JmxResolver) -> bool:
    """Add what an XPath Assertion wants there to be; say whether it is one."""
    name = {"XPathAssertion": "XPath.xpath", "XPath2Assertion": "XPath.xpath"}.get(element.kind)
    query = element.peek(name or "").strip()
    if not query or element.peek("XPath.negate").strip() == "true" or not _is_xpath(query):
        return False
    element.whole()
    names = resolver.variables.plan.names
    extract[names.name(f"xpath at line {element.construct.place.line}")] = {"xpath": query}
    return True


def _is_xpath(query: str) -> bool:
    from lxml import etree  # noqa: PLC0415 - of an extra

    try:
        etree.XPath(query)
    except etree.XPathSyntaxError:
        return False
    return "${" not in query


_ReadJmxExtraction = Callable[[JmxElement, int, JmxResolver], Keys | None]

EXTRACTORS: Final[dict[str, tuple[_ReadJmxExtraction, str, str, str]]] = {
    "RegexExtractor": (
        _regex,
        "RegexExtractor.refname",
        "RegexExtractor.match_number",
        "RegexExtractor.default",
    ),
    "JSONPostProcessor": (
        _json,
        "JSONPostProcessor.referenceNames",
        "JSONPostProcessor.match_numbers",
        "JSONPostProcessor.defaultValues",
    ),
    "JSONPathExtractor": (_json, "VAR", "MATCH_NUMBER", "DEFAULT"),
    "JMESPathExtractor": (
        _jmes,
        "JMESExtractor.referenceName",
        "JMESExtractor.matchNumber",
        "JMESExtractor.defaultValue",
    ),
    "BoundaryExtractor": (
        _boundary,
        "BoundaryExtractor.refname",
        "BoundaryExtractor.match_number",
        "BoundaryExtractor.default",
    ),
    "HtmlExtractor": (
        _css,
        "HtmlExtractor.refname",
        "HtmlExtractor.match_number",
        "HtmlExtractor.default",
    ),
    "XPathExtractor": (
        _xpath,
        "XPathExtractor.refname",
        "XPathExtractor.matchNumber",
        "XPathExtractor.default",
    ),
    "XPath2Extractor": (
        _xpath,
        "XPathExtractor2.refname",
        "XPathExtractor2.matchNumber",
        "XPathExtractor2.default",
    ),
}
