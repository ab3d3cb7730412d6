"""The requests of a plan in the words of a language: what is sent, checked and kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import PurePath
from typing import Any, Final

from planrunner.exporters.scripts.content_types import content_type_of
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage
from planrunner.language.expressions.expression import ExpressionError
from planrunner.loss.source_nodes import SourceEntry, SourceNode
from planrunner.units import NS_PER_MS, NS_PER_S, UnitError, parse_duration
from planrunner.values import dataclass

__all__ = [
    "VERBS",
    "RequestReader",
    "WrittenExtract",
    "WrittenRequest",
    "attempt",
    "auth_headers",
    "extraction_of",
    "get_request",
    "json_keys",
    "named_request",
    "read_request",
]

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_JSON_PATH: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[\s*['\"]([^'\"]*)['\"]\s*\]")
_CLASS: Final = re.compile(r"([1-5])(?:xx|\*)")
_EXPRESSION: Final = re.compile(r"\$\{[^}]*\}")
_TIME: Final = re.compile(r"<=?\s*(\S+)")
_BODIES: Final = ("json", "form", "multipart", "body_file", "body")


@dataclass(frozen=True, slots=True)
class WrittenExtract:
    """A value that is kept: its name, and code for it."""

    name: str
    code: str
    is_required: bool


@dataclass(slots=True)
class WrittenRequest:
    """A request.

    Attributes:
        url: Code; begins with the base URL where the plan's is relative to it.
        query: Code of what stands behind its `?`; None for none.
        headers: Code by name.
        body: Code of a text; None for none. Of a form and of parts it is the mapping.
        body_kind: The key of the plan that says it.
        content_type: Of the body, as planrunner sends it; empty where tools do so by themselves.
        has_query: Whether the URL has a `?` of its own.
        without: Headers that it takes away.
        statuses: Those that are a success, as the plan has them; None for 2xx and 3xx.
        checks: What else is expected: words, and code that is true.
    """

    method: str
    url: str
    name: str
    query: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    body_kind: str = ""
    content_type: str = ""
    has_query: bool = False
    without: list[str] = field(default_factory=list)
    statuses: list[object] | None = None
    checks: list[tuple[str, str]] = field(default_factory=list)
    extracts: list[WrittenExtract] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    follows: bool | None = None


def attempt(entry: SourceEntry | None, write: Callable[[SourceNode], None]) -> None:
    """Write what a key says; it is translated, or left out by name where that can't be."""
    if entry is None:
        return
    try:
        write(entry.node)
    except (CanNotWrite, ExpressionError, UnitError) as error:
        entry.construct.left_out(error.message)
        for one in entry.node.below():
            one.construct.left_out(f"with `{entry.key}`")
    else:
        entry.construct.translated()


def read_request(step: SourceNode, language: ScriptLanguage) -> WrittenRequest:
    """Return the request of a step, and judge its keys.

    Raises:
        CanNotWrite: Its URL, query or body can't be written.
    """
    made = named_request(step, language)
    RequestReader(step, language, made).read()
    return made


def named_request(step: SourceNode, language: ScriptLanguage) -> WrittenRequest:
    """Return the method, URL and name of a step's request; its other keys are not judged."""
    verb = next(key for key in VERBS if step.get(key) is not None)
    url = _entry(step, verb).node.text()
    name = step.get("name")
    made = WrittenRequest(
        verb.upper(),
        language.url(url),
        f"{verb.upper()} {url}" if name is None else name.text(),
        has_query="?" in _EXPRESSION.sub("", url),
    )
    step.take(verb)
    if name is not None and "${" in name.text():
        _entry(step, "name").construct.changed("a computed name is written as it stands")
    step.take("name")
    return made


def get_request(url: str, language: ScriptLanguage) -> WrittenRequest:
    """Return a request of nothing but a URL."""
    return WrittenRequest("GET", language.url(url), f"GET {url}")


def auth_headers(node: SourceNode, language: ScriptLanguage) -> dict[str, str]:
    """Return the headers that say who a user is.

    Raises:
        CanNotWrite: The scheme is more than headers.
    """
    plain = node.whole()
    if not isinstance(plain, dict):
        raise CanNotWrite("this can't be computed in the script")
    if "bearer" in plain:
        return {"Authorization": language.text(f"Bearer {plain['bearer']}")}
    basic, key = plain.get("basic"), plain.get("api_key")
    if isinstance(basic, dict) and "b64" in language.filters:
        known = language.text(f"{basic.get('username', '')}:{basic.get('password', '')}")
        coded = language.filters["b64"].format(known)
        return {"Authorization": language.joined([("Basic ", False), (coded, True)])}
    if isinstance(key, dict) and "header" in key:
        return {str(key["header"]): language.text(str(key["value"]))}
    raise CanNotWrite(f"write what signs a request with `{next(iter(plain), '')}` yourself")


def _entry(node: SourceNode, key: str) -> SourceEntry:
    found = node.entry(key)
    assert found is not None
    return found


@dataclass(slots=True)
class RequestReader:
    """Reads the keys of a request; tools that have no code for them read some otherwise."""

    step: SourceNode
    language: ScriptLanguage
    made: WrittenRequest

    def read(self) -> None:
        """Read all of them."""
        for key, write in (("query", self.query), *((key, self.body(key)) for key in _BODIES)):
            entry = self.step.entry(key)
            if entry is not None:  # without it the request would be another one
                write(entry.node)
                entry.construct.translated()
        for key, write in (
            ("headers", self._headers),
            ("auth", self._auth),
            ("tags", self._tags),
            ("timeout", self._timeout),
            ("follow_redirects", self._follows),
        ):
            attempt(self.step.entry(key), write)
        expect, extract = self.step.entry("expect"), self.step.entry("extract")
        if expect is not None:
            expect.construct.translated()
            self._expectations(expect.node)
        if extract is not None:
            extract.construct.translated()
            for one in extract.node.entries or ():
                attempt(one, self.extract(one.key))
                self.language.settle(one.key, one.construct)

    def _expectations(self, node: SourceNode) -> None:
        said = node.take_whole("soft")
        soft = {str(one) for one in said} if isinstance(said, list) else set[str]()
        for one in node.entries or ():
            is_soft = said is True or one.key in soft
            if one.key == "soft":
                continue
            if not is_soft or self.language.checks_are_soft:
                attempt(one, self.expectation(one.key))
                continue
            one.construct.left_out("every check makes a failure here, and this one is soft")
            for each in one.node.below():
                each.construct.left_out(f"with `{one.key}`")
        if said is True or "status" in soft:
            self.made.statuses = None

    def query(self, node: SourceNode) -> None:
        """Read what stands behind the `?`."""
        self.made.query = self.language.query(node.whole())

    def _headers(self, node: SourceNode) -> None:
        for one in node.entries or ():
            one.construct.translated()
            if one.node.scalar is None:
                self.made.without.append(one.key)
                continue
            self.made.headers[one.key] = self.language.secret_header(one) or self.language.text(
                one.node.text()
            )

    def _tags(self, node: SourceNode) -> None:
        plain = node.whole()
        tags = {str(one): "true" for one in plain} if isinstance(plain, list) else plain
        if not isinstance(tags, dict):
            tags = {str(tags): "true"}
        self.made.tags = {key: self.language.text(str(value)) for key, value in tags.items()}

    def _timeout(self, node: SourceNode) -> None:
        self.made.timeout_s = parse_duration(node.text()) / NS_PER_S

    def _follows(self, node: SourceNode) -> None:
        if not isinstance(node.scalar, bool):
            raise CanNotWrite("this can't be computed in the script")
        self.made.follows = node.scalar

    def body(self, kind: str) -> Callable[[SourceNode], None]:
        """Return what reads a body of a kind."""

        def write(node: SourceNode) -> None:
            plain = node.whole()
            self.made.body_kind, self.made.content_type = kind, content_type_of(kind, plain)
            if kind == "json":
                self.made.body = self.language.json_text(plain)
            elif kind == "form":
                if not isinstance(plain, dict):
                    raise CanNotWrite("a form that is computed has no translation")
                self.made.body = self.language.form(plain)
            elif kind == "multipart":
                self.made.body = self._parts(plain)
            elif kind == "body_file":
                self.made.body = self.language.file(str(plain))
            else:
                self.made.body = self.language.text(str(plain))

        return write

    def _parts(self, plain: object) -> str:
        """Return the parts of a body as a mapping."""
        language, pairs = self.language, list[tuple[str, str]]()
        assert isinstance(plain, dict)
        for name, part in plain.items():
            if isinstance(part, list):
                raise CanNotWrite("write parts of the same name yourself")
            if not isinstance(part, dict):
                part = {"text": str(part)}  # noqa: PLW2901 - the same part, in its long form
            if "file" in part:
                code = language.file(str(part["file"]))
                file_name = str(part.get("filename", PurePath(str(part["file"])).name))
            else:
                code, file_name = language.text(str(part["text"])), str(part.get("filename", ""))
            kind = str(part["type"]) if "type" in part else ""
            if "file" in part and not kind:
                kind = content_type_of("body_file", part["file"])
            shown = language.text(file_name) if file_name else ""
            written = language.text(kind) if kind else ""
            pairs.append((language.key(name), language.part(code, shown, written)))
        return language.mapping(pairs)

    def _auth(self, node: SourceNode) -> None:
        self.made.headers.update(auth_headers(node, self.language))

    # -- expectations

    def expectation(self, key: str) -> Callable[[SourceNode], None]:  # noqa: C901 - one case a key
        """Return what reads an expectation."""
        language, made = self.language, self.made

        def write(node: SourceNode) -> None:  # noqa: C901, PLR0912 - as above
            plain = node.whole()
            listed = plain if isinstance(plain, list) else [plain]
            match key:
                case "status":
                    made.statuses = [*listed]
                    words = " or ".join(map(str, listed))
                    made.checks.append((f"status is {words}", _status(language, listed)))
                case "time":
                    found = _TIME.fullmatch(str(plain))
                    if found is None:
                        raise CanNotWrite("this limit can't be computed in the script")
                    limit = parse_duration(found[1]) / NS_PER_MS
                    made.checks.append((f"time {plain}", f"({language.took_ms()} < {limit:g})"))
                case "contains" | "not_contains":
                    for one in listed:
                        code = language.contains(
                            language.text(str(one)), language.reply("body", [])
                        )
                        code = code if key == "contains" else language.negated(code)
                        made.checks.append((f"{key.replace('_', ' ')} {one}", code))
                case "matches" | "not_matches":
                    for one in listed:
                        code = language.is_defined(language.found(str(one)))
                        code = code if key == "matches" else language.negated(code)
                        made.checks.append((f"{key.replace('_', ' ')} {one}", code))
                case "json" | "header" if isinstance(plain, dict):
                    for path, rule in plain.items():
                        value = (
                            language.reply("headers", [language.literal(path)])
                            if key == "header"
                            else language.reply("json", json_keys(path, language))
                        )
                        made.checks += [
                            (f"{path} {words}", code)
                            for words, code in _rules(language, value, rule)
                        ]
                case _:
                    raise CanNotWrite(f"write a check for `{key}` yourself")

        return write

    def extract(self, name: str) -> Callable[[SourceNode], None]:
        """Return what reads an extraction."""

        def write(node: SourceNode) -> None:
            spec = extraction_of(node)
            code = self._source(spec)
            required = bool(spec.get("required", True)) and "default" not in spec
            if "default" in spec:
                default = self.language.value(spec["default"])
                code = self.language.or_default(code, default)
            self.made.extracts.append(WrittenExtract(name, code, required))

        return write

    def _source(self, spec: dict[str, object]) -> str:
        language = self.language
        for kind in ("jsonpath", "regex", "header", "cookie"):
            if kind not in spec:
                continue
            where = str(spec[kind])
            if spec.get("index", "first") not in ("first", 0):
                raise CanNotWrite("only the first one is taken; write `index` yourself")
            if "${" in where:
                raise CanNotWrite("a place that is computed has no translation")
            match kind:
                case "jsonpath":
                    return language.reply("json", json_keys(where, language))
                case "regex":
                    return language.found(where)
                case "header":
                    return language.reply("headers", [language.literal(where)])
                case _:
                    return language.cookie(where)
        raise CanNotWrite(f"write what takes `{next(iter(spec), '')}` out of the reply yourself")


def extraction_of(node: SourceNode) -> dict[str, Any]:
    """Return what an extraction says, in its long form.

    Raises:
        CanNotWrite: It names no place.
    """
    plain = node.whole()
    spec = {"jsonpath": plain} if isinstance(plain, str) else plain
    if not isinstance(spec, dict):
        raise CanNotWrite("this does not name a place in a reply")
    return spec


def json_keys(path: str, language: ScriptLanguage) -> list[str]:
    """Return the keys on a plain JSONPath, as code.

    Raises:
        CanNotWrite: It has filters, wildcards or slices.
    """
    rest = path.removeprefix("$")
    rest = rest if rest[:1] in (".", "[", "") else f".{rest}"
    keys, at = list[str](), 0
    while at < len(rest):
        found = _JSON_PATH.match(rest, at)
        if found is None:
            raise CanNotWrite(f"`{path}` is more than a path of names and numbers")
        keys.append(found[2] or language.literal(found[1] or found[3] or ""))
        at = found.end()
    return keys


def _status(language: ScriptLanguage, statuses: list[object]) -> str:
    status, found = language.reply("status", []), list[str]()
    for one in statuses:
        if group := _CLASS.fullmatch(str(one)):
            first = int(group[1]) * 100
            found.append(f"({status} >= {first} {language.both} {status} < {first + 100})")
        elif isinstance(one, int):
            found.append(f"({status} {language.equal} {one})")
        else:
            raise CanNotWrite(f"the status `{one}` has no translation")
    return found[0] if len(found) == 1 else "(" + f" {language.either} ".join(found) + ")"


_LIMITS: Final = {"min": ">=", "max": "<="}


def _rules(language: ScriptLanguage, value: str, rule: object) -> Iterator[tuple[str, str]]:
    """Yield what a rule asks of a value: words, and code that is true."""
    words = {"type", "min", "max", "in", "matches", "exists", "length", "is"}
    if not isinstance(rule, dict) or not words & rule.keys():
        yield f"is {rule}", f"({value} {language.equal} {language.value(rule)})"
        return
    for word, limit in rule.items():
        yield f"{word} {limit}", _rule(language, value, word, limit)


def _rule(language: ScriptLanguage, value: str, word: str, limit: object) -> str:
    match word:
        case "exists" | "matches":
            found = value if word == "exists" else language.matched(str(limit), value)
            code = language.is_defined(found)
            return code if limit else language.negated(code)
        case "is":
            return f"({value} {language.equal} {language.value(limit)})"
        case "min" | "max":
            return f"({value} {_LIMITS[word]} {language.value(limit)})"
        case "type" if str(limit) in language.types:
            return language.types[str(limit)].format(value)
        case "length" if isinstance(limit, int):
            length = language.filters["length"].format(value)
            return f"({length} {language.equal} {limit})"
        case "in":
            return language.contains(value, language.value(limit))
        case _:
            raise CanNotWrite(f"write the rule `{word}` yourself")
