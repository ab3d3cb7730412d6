"""Requests of a plan as samplers of JMeter, with their assertions and extractors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final
from urllib.parse import urlsplit

from planrunner.exporters.jmx.elements import (
    argument,
    collection,
    element,
    element_lines,
    prop,
)
from planrunner.exporters.jmx.texts import JmxTexts
from planrunner.exporters.scripts.content_types import content_type_of
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.exporters.scripts.requests import RequestReader, WrittenRequest, extraction_of
from planrunner.loss.source_nodes import SourceNode
from planrunner.units import NS_PER_MS, parse_duration
from planrunner.values import dataclass

__all__ = ["JmxRequest", "JmxRequestReader", "capturing", "sampler"]

_CONTAINS, _NOT, _EQUALS, _SUBSTRING, _OR = 2, 4, 8, 16, 32
_BODY: Final = {
    "contains": _SUBSTRING,
    "not_contains": _SUBSTRING | _NOT,
    "matches": _CONTAINS,
    "not_matches": _CONTAINS | _NOT,
}
_TIME: Final = re.compile(r"<=?\s*(\S+)")
_CLASS: Final = re.compile(r"([1-5])(?:xx|\*)")


@dataclass(slots=True)
class JmxRequest(WrittenRequest):
    """A request with what JMeter has elements for.

    Attributes:
        pairs: Names and texts of a query or form.
        parts: Files of a body: path, name, type.
        below: Elements that look at the reply, each as lines.
    """

    pairs: list[tuple[str, str]] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)
    below: list[list[str]] = field(default_factory=list)


class JmxRequestReader(RequestReader):
    """Reads the keys that JMeter has elements for."""

    made: JmxRequest
    language: JmxTexts

    def query(self, node: SourceNode) -> None:
        plain = node.whole()
        if not isinstance(plain, dict):
            raise CanNotWrite("a query that is computed has no translation")
        if self.made.method in ("POST", "PUT", "PATCH"):
            pairs = "&".join(f"{name}={text}" for name, text in self._pairs(plain))
            self.made.url += ("&" if self.made.has_query else "?") + pairs.replace(" ", "%20")
        else:
            self.made.pairs += self._pairs(plain)

    def _pairs(self, plain: dict[str, Any]) -> list[tuple[str, str]]:
        return [
            (name, self.language.value(one))
            for name, value in plain.items()
            for one in (value if isinstance(value, list) else [value])
            if one is not None
        ]

    def _headers(self, node: SourceNode) -> None:
        if any(one.node.scalar is None for one in node.entries or ()):
            raise CanNotWrite("headers that take another one away have no translation")
        super()._headers(node)

    def body(self, kind: str) -> Callable[[SourceNode], None]:
        def write(node: SourceNode) -> None:
            plain, made = node.whole(), self.made
            made.body_kind, made.content_type = kind, content_type_of(kind, plain)
            match kind:
                case "json":
                    made.body = self.language.json_text(plain)
                    if '"${' in made.body:
                        entry = self.step.entry("json")
                        assert entry is not None
                        entry.construct.changed("values are texts, and quotes in them stay quotes")
                case "form" if isinstance(plain, dict):
                    made.pairs += self._pairs(plain)
                case "multipart" if isinstance(plain, dict):
                    self._multipart(plain)
                case "body_file":
                    made.parts.append((self.language.file(str(plain)), "", ""))
                case "body":
                    made.body = self.language.text(str(plain))
                case _:
                    raise CanNotWrite("a body that is computed has no translation")

        return write

    def _multipart(self, plain: dict[str, Any]) -> None:
        for name, part in plain.items():
            if isinstance(part, dict) and "file" in part:
                kind = str(part.get("type", "")) or content_type_of("body_file", part["file"])
                kind = self.language.text(kind)
                self.made.parts.append((self.language.file(str(part["file"])), name, kind))
            elif isinstance(part, dict | list):
                raise CanNotWrite("parts of JMeter are files and plain texts")
            else:
                self.made.pairs.append((name, self.language.value(part)))

    # -- expectations

    def expectation(self, key: str) -> Callable[[SourceNode], None]:
        def write(node: SourceNode) -> None:
            plain = node.whole()
            listed = [str(one) for one in (plain if isinstance(plain, list) else [plain])]
            if key == "status":
                self._status(listed)
            elif key == "time" and (found := _TIME.fullmatch(str(plain))):
                limit = str(parse_duration(found[1]) // NS_PER_MS)
                words = {"DurationAssertion.duration": limit}
                self._add("DurationAssertion", f"time {plain}", words)
            elif key in _BODY:
                texts = [self.language.text(one) for one in listed]
                self._assert(key.replace("_", " "), "response_data", _BODY[key], texts)
            elif key in ("header", "json") and isinstance(plain, dict):
                for place, rule in plain.items():
                    (self._header if key == "header" else self._json)(place, rule)
            else:
                raise CanNotWrite(f"write an assertion for `{key}` yourself")

        return write

    def _status(self, listed: list[str]) -> None:
        classes = [_CLASS.fullmatch(one) for one in listed]
        if any(classes):
            patterns = [
                f"{one[1]}\\d\\d" if one else text
                for one, text in zip(classes, listed, strict=True)
            ]
            kind = _CONTAINS | _OR
        else:
            patterns, kind = listed, _EQUALS | _OR
        self._assert(
            f"status is {' or '.join(listed)}", "response_code", kind, patterns, ignores=True
        )

    def _assert(
        self, name: str, place: str, kind: int, texts: list[str], *, ignores: bool = False
    ) -> None:
        lines = [
            *collection("Asserion.test_strings", texts),
            prop("Assertion.custom_message", ""),
            prop("Assertion.test_field", f"Assertion.{place}"),
            prop("Assertion.assume_success", ignores),
            prop("Assertion.test_type", kind),
        ]
        self.made.below.append([*element_lines("ResponseAssertion", name, lines)])

    def _header(self, name: str, rule: object) -> None:
        text = rule.get("is") if isinstance(rule, dict) else rule
        if isinstance(rule, dict) and rule.get("exists") is True:
            self._assert(f"{name} exists", "response_headers", _SUBSTRING, [f"{name}: "])
        elif text is None or isinstance(text, dict | list):
            raise CanNotWrite(f"write an assertion for the header `{name}` yourself")
        else:
            said = f"{name}: {self.language.value(text)}"
            self._assert(f"{name} is {text}", "response_headers", _SUBSTRING, [said])

    def _json(self, path: str, rule: object) -> None:
        rules = rule if isinstance(rule, dict) else {"is": rule}
        known = {"is", "exists", "matches"}
        if not rules.keys() <= known:
            raise CanNotWrite(
                f"write an assertion for `{next(iter(rules.keys() - known))}` yourself"
            )
        for word, wanted in rules.items():
            is_value = word != "exists"
            words = {
                "JSON_PATH": path,
                "EXPECTED_VALUE": _expected(self.language, wanted) if is_value else "",
                "JSONVALIDATION": is_value,
                "EXPECT_NULL": is_value and wanted is None,
                "INVERT": not is_value and not wanted,
                "ISREGEX": word == "matches",
            }
            self._add("JSONPathAssertion", f"{path} {word} {wanted}", words)

    def _add(self, kind: str, name: str, words: Mapping[str, object]) -> None:
        self.made.below.append([*element_lines(kind, name, words)])

    # -- extractions

    def extract(self, name: str) -> Callable[[SourceNode], None]:
        def write(node: SourceNode) -> None:
            spec = extraction_of(node)
            index = {"first": "1", "random": "0"}.get(str(spec.get("index", "first")))
            if index is None:
                raise CanNotWrite("of several matches the first one or a random one is taken")
            default = self.language.value(spec["default"]) if "default" in spec else ""
            self.made.below.append(_extractor(name, spec, index, default))
            if bool(spec.get("required", True)) and "default" not in spec:
                node_entry = self.step.get("extract")
                entry = node_entry.entry(name) if node_entry is not None else None
                if entry is not None:
                    entry.construct.changed("without a value the iteration goes on")

        return write


def _expected(language: JmxTexts, wanted: object) -> str:
    return language.value(wanted)


def _extractor(name: str, spec: dict[str, Any], index: str, default: str) -> list[str]:
    for kind, write in _EXTRACTORS.items():
        if kind in spec:
            return [*write(name, str(spec[kind]), index, default)]
    raise CanNotWrite(f"write what takes `{next(iter(spec), '')}` out of the reply yourself")


def _json_extractor(name: str, path: str, index: str, default: str) -> Iterator[str]:
    yield from element_lines(
        "JSONPostProcessor",
        name,
        {
            "JSONPostProcessor.referenceNames": name,
            "JSONPostProcessor.jsonPathExprs": path,
            "JSONPostProcessor.match_numbers": index,
            "JSONPostProcessor.defaultValues": default,
        },
    )


def _regex_extractor(
    name: str, pattern: str, index: str, default: str, where: str = "false"
) -> Iterator[str]:
    has_group = bool(re.search(r"(?<!\\)\((?!\?)", pattern))
    yield from element_lines(
        "RegexExtractor",
        name,
        {
            "RegexExtractor.useHeaders": where,
            "RegexExtractor.refname": name,
            "RegexExtractor.regex": pattern,
            "RegexExtractor.template": "$1$" if has_group else "$0$",
            "RegexExtractor.default": default,
            "RegexExtractor.default_empty_value": not default,
            "RegexExtractor.match_number": index,
        },
    )


def _header_extractor(name: str, header: str, index: str, default: str) -> Iterator[str]:
    yield from _regex_extractor(name, f"(?i){header}: (.+)", index, default, "true")


def _cookie_extractor(name: str, cookie: str, index: str, default: str) -> Iterator[str]:
    pattern = f"Set-Cookie: {re.escape(cookie)}=([^;\\s]*)"
    yield from _regex_extractor(name, pattern, index, default, "true")


def _css_extractor(name: str, selector: str, index: str, default: str) -> Iterator[str]:
    plain, _, what = selector.partition("::")
    found = re.fullmatch(r"attr\((.+)\)", what)
    yield from element_lines(
        "HtmlExtractor",
        name,
        {
            "HtmlExtractor.refname": name,
            "HtmlExtractor.expr": plain,
            "HtmlExtractor.attribute": found[1] if found else "",
            "HtmlExtractor.default": default,
            "HtmlExtractor.default_empty_value": not default,
            "HtmlExtractor.match_number": index,
            "HtmlExtractor.extractor_impl": "",
        },
    )


def _xpath_extractor(name: str, path: str, index: str, default: str) -> Iterator[str]:
    yield from element_lines(
        "XPath2Extractor",
        name,
        {
            "XPathExtractor2.default": default,
            "XPathExtractor2.refname": name,
            "XPathExtractor2.matchNumber": index,
            "XPathExtractor2.xpathQuery": path,
            "XPathExtractor2.fragment": False,
            "XPathExtractor2.namespaces": "",
        },
    )


_WriteExtractor = Callable[[str, str, str, str], Iterator[str]]

_EXTRACTORS: Final[Mapping[str, _WriteExtractor]] = {
    "jsonpath": _json_extractor,
    "regex": _regex_extractor,
    "header": _header_extractor,
    "cookie": _cookie_extractor,
    "css": _css_extractor,
    "xpath": _xpath_extractor,
}


def capturing(name: str, what: str, keys: list[str]) -> list[str]:
    """Return the lines of what keeps a part of a reply in a variable.

    Raises:
        CanNotWrite: It is no part that JMeter takes out.
    """
    match what:
        case "status":
            return [*_regex_extractor(name, "(.*)", "1", "", "code")]
        case "body":
            return [*_regex_extractor(name, "(?s)(.*)", "1", "")]
        case "headers" if keys:
            return [*_header_extractor(name, keys[0], "1", "")]
        case "json":
            path = "".join(f"[{key}]" if key.isdigit() else f"['{key}']" for key in keys)
            plain = "".join(f"[{key}]" if key.isdigit() else f".{key}" for key in keys)
            is_plain = all(re.fullmatch(r"\w+", key) for key in keys)
            return [*_json_extractor(name, f"${plain if is_plain else path}", "1", "")]
        case _:
            raise CanNotWrite("all headers of a reply are more than a variable")


def sampler(made: JmxRequest, timeout_s: float | None, *, follows: bool) -> Iterator[str]:
    """Yield the lines of the sampler of a request."""
    lines = []
    if made.body is not None:
        lines.append(prop("HTTPSampler.postBodyRaw", value=True))
    if made.body is not None or made.body_kind == "multipart":  # JMeter would write Latin-1
        lines.append(prop("HTTPSampler.contentEncoding", "UTF-8"))
    pairs = [argument(name, text) for name, text in made.pairs]
    if made.body is not None:
        pairs = [argument("", made.body, is_raw=True)]
    arguments = [*collection("Arguments.arguments", pairs)]
    lines += element("HTTPsampler.Arguments", "Arguments", arguments)
    if made.parts:
        files = [
            element(
                path,
                "HTTPFileArg",
                [
                    prop("File.path", path),
                    prop("File.paramname", name),
                    prop("File.mimetype", kind),
                ],
            )
            for path, name, kind in made.parts
        ]
        arguments = [*collection("HTTPFileArgs.files", files)]
        lines += element("HTTPsampler.Files", "HTTPFileArgs", arguments)
    lines += _address(made.url)
    lines += [
        prop("HTTPSampler.method", made.method),
        prop("HTTPSampler.follow_redirects", follows),
        prop("HTTPSampler.auto_redirects", value=False),
        prop("HTTPSampler.use_keepalive", value=True),
        prop("HTTPSampler.DO_MULTIPART_POST", made.body_kind == "multipart"),
        prop(
            "HTTPSampler.response_timeout", "" if timeout_s is None else f"{timeout_s * 1000:.0f}"
        ),
    ]
    yield from element_lines("HTTPSamplerProxy", made.name, lines)


def _address(url: str) -> list[str]:
    """Return the properties of a URL; a relative one is only a path."""
    if not url.startswith(("http://", "https://")) or "${" in url.split("/")[2]:
        return [prop("HTTPSampler.path", url)]
    parts = urlsplit(url)
    return [
        prop("HTTPSampler.protocol", parts.scheme),
        prop("HTTPSampler.domain", parts.hostname or ""),
        prop("HTTPSampler.port", str(parts.port or "")),
        prop("HTTPSampler.path", url[len(f"{parts.scheme}://{parts.netloc}") :]),
    ]
