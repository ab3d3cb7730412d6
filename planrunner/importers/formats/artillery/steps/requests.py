"""A request of Artillery → a request step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.formats.artillery.steps.hooks import HooksReader
from planrunner.importers.formats.artillery.steps.replies import RepliesReader
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out, suspect
from planrunner.importers.reading.expressions import inline
from planrunner.importers.reading.headers import sendable
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.reading.quantities import read_seconds, seconds

__all__ = ["VERBS", "RequestsReader"]

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_BODIES: Final = ("json", "form", "formData", "body")
_HOOKS: Final = ("beforeRequest", "afterResponse")
_READ_ELSEWHERE: Final = ("capture", "match", "expect", "url", "uri", "name", *_BODIES)


class RequestsReader:
    """Reads requests."""

    def __init__(self, test: ArtilleryTest) -> None:
        self.test = test
        self.expressions = ArtilleryExpressions(test)
        self.hooks = HooksReader(test)
        self.replies = RepliesReader(
            self.expressions, strict=test.strict, checks=test.checks_expect
        )

    def read(self, verb: SourceEntry) -> list[DraftStep]:
        """Return a request with the steps of its hooks; what it sets is known from here on."""
        return self._steps(verb, verb.node)

    def read_flat(self, verb: SourceEntry, node: SourceNode) -> list[DraftStep]:
        """Return the steps of a request whose keys stand beside its verb, not below it."""
        verb.construct.suspicious("what follows must be indented more: Artillery fails here")
        return self._steps(verb, node)

    def _steps(self, verb: SourceEntry, node: SourceNode) -> list[DraftStep]:
        hooks = {key: found for key in _HOOKS if (found := node.entry(key)) is not None}
        for one in hooks.values():
            one.construct.translated()
        return self.hooks.around(lambda: self._step(verb, node), hooks)

    def _step(self, verb: SourceEntry, node: SourceNode) -> DraftStep:
        verb.construct.translated()
        step = DraftStep(self._head(verb, node), origin=verb.construct.place)
        for one in node.entries or []:
            if one.key in _READ_ELSEWHERE or one.construct.fate is not None:
                continue
            read = _KEYS.get(one.key)
            if read is None:
                suspect(one, "Artillery reads no such key in a request")
                continue
            one.construct.translated()
            read(self, one, step.body)
        self._body(node, step.body)
        self.replies.read(node, step.body)
        return step

    def _head(self, verb: SourceEntry, node: SourceNode) -> Keys:
        url = node.entry("url") or node.entry("uri")
        if url is None:
            if not node.is_mapping and node.scalar is not None:
                verb.construct.suspicious("Artillery reads the URL from `url`, and fails here")
            else:
                verb.construct.suspicious("a request without `url` fails in Artillery")
            where = self.expressions.text(node.text() or "/", verb.construct)
        else:
            url.construct.translated()
            where = self.expressions.text(url.node.text() or "/", url.construct)
        self._give_default(where)
        step: Keys = {verb.key.lower(): _absolute(where)}
        name = node.entry("name")
        if name is not None and name.node.text():
            name.construct.translated()
            step["name"] = self.expressions.text(name.node.text(), name.construct)
        elif self.test.strips_query and "?" in where:
            step["name"] = f"{verb.key.upper()} {where.partition('?')[0]}"
        return step

    def _give_default(self, where: str) -> None:
        """Let a param that begins a URL have a value that can be one."""
        name = where[2:].partition("}")[0] if where.startswith("${") else ""
        param = self.test.names.params.get(name)
        if param is not None and isinstance(param.spec, dict) and not param.spec.get("default"):
            spec = {**param.spec, "default": "/"}
            param.spec = {key: spec[key] for key in ("type", "default", "env") if key in spec}

    def _body(self, node: SourceNode, step: Keys) -> None:
        found = [one for key in _BODIES if (one := node.entry(key)) is not None]
        for number, one in enumerate(found):
            if number:
                leave_out(one, f"a request has one body, and `{found[0].key}` is it")
                continue
            one.construct.translated()
            _READERS[one.key](self, one, step)

    def json(self, one: SourceEntry, step: Keys) -> None:
        step["json"] = self.expressions.sent(one.node, one.construct)

    def form(self, one: SourceEntry, step: Keys) -> None:
        value = self.expressions.value(one.node, one.construct)
        if isinstance(value, dict):
            step["form"] = value
        else:
            step["body"] = str(value)

    def text(self, one: SourceEntry, step: Keys) -> None:
        value = self.expressions.value(one.node, one.construct)
        if isinstance(value, dict | list):
            step["json"] = value
        else:
            step["body"] = "" if value is None else str(value)

    def parts(self, one: SourceEntry, step: Keys) -> None:
        parts: Keys = {}
        for part in one.node.entries or []:
            part.construct.translated()
            source = part.node.entry("fromFile") if part.node.is_mapping else None
            if source is None:
                value = self.expressions.value(part.node, part.construct)
                parts[part.key] = inline(value) if isinstance(value, dict) else value
                continue
            source.construct.translated()
            parts[part.key] = self._file(source, part.node)
        step["multipart"] = parts

    def _file(self, source: SourceEntry, node: SourceNode) -> object:
        name = source.node.text()
        path = neighbour(name, self.test.main, self.test.request.files)
        if path is None:
            source.construct.needs_you(f"put `{name}` beside the plan, and name it with `file:`")
            sent_as = self.expressions.text(name.rpartition("/")[2], source.construct)
            return {"text": "", "filename": sent_as}
        self.test.draft.files[path.name] = path
        kind, named = node.take_whole("contentType"), node.take_whole("fileName")
        extra = {"type": kind, "filename": named}
        return {"file": path.name, **{key: one for key, one in extra.items() if one}}

    def headers(self, one: SourceEntry, step: Keys) -> None:
        headers = self.expressions.value(one.node, one.construct)
        if isinstance(headers, dict) and headers:
            known = step.setdefault("headers", {})
            assert isinstance(known, dict)
            sent = sendable(headers, one.construct)
            known.update({key: _header(value) for key, value in sent.items()})

    def query(self, one: SourceEntry, step: Keys) -> None:
        value = self.expressions.value(one.node, one.construct)
        if isinstance(value, dict) and value:
            step["query"] = value

    def cookie(self, one: SourceEntry, step: Keys) -> None:
        value = self.expressions.value(one.node, one.construct)
        if isinstance(value, dict):
            known = step.setdefault("headers", {})
            assert isinstance(known, dict)
            own = {key: _header(each) for key, each in value.items()}
            pairs = {**self.test.default_cookies, **own}
            known["Cookie"] = "; ".join(f"{key}={each}" for key, each in pairs.items())
            self.test.cookies.append((one.construct, step, frozenset(value)))

    def auth(self, one: SourceEntry, step: Keys) -> None:
        user, secret = one.node.take("user"), one.node.entry("pass")
        username = self.expressions.text(user.text(), one.construct) if user else ""
        password = ""
        if secret is not None:
            secret.construct.translated()
            text = secret.node.text()
            password = self.expressions.text(text, secret.construct)
            if "{{" not in text:
                password = "${" + self._secret(text, secret) + "}"
        step["auth"] = {"basic": {"username": username, "password": password}}

    def _secret(self, text: str, at: SourceEntry) -> str:
        names = self.test.names
        key = f"$secret.{text}"
        found = names.find(key)
        if found is None:
            found = names.param("password", {"type": "str", "secret": True})
            names.mean(key, found)
        at.construct.needs_you(f"give the param `{found}` its value: `--set {found}=…`")
        return found

    def redirect(self, one: SourceEntry, step: Keys) -> None:
        if one.node.scalar is False:
            step["follow_redirects"] = False

    def condition(self, one: SourceEntry, step: Keys) -> None:
        words = self.hooks.condition(one.node.text(), one.construct) or self.expressions.condition(
            one.node.text(), one.construct
        )
        if words is None:
            one.construct.left_out(f"write the condition as `when:`: {one.node.text()}")
        else:
            step["when"] = words

    def timeout(self, one: SourceEntry, step: Keys) -> None:
        time = read_seconds(one.node.scalar)
        if time:
            step["timeout"] = seconds(time)

    def probability(self, one: SourceEntry, step: Keys) -> None:
        step["when"] = f"rand.int(0, 100) < {one.node.text() or 0}"

    def nothing(self, one: SourceEntry, step: Keys) -> None:
        one.node.whole()


_KEYS: Final[dict[str, Callable[[RequestsReader, SourceEntry, Keys], None]]] = {
    "headers": RequestsReader.headers,
    "qs": RequestsReader.query,
    "cookie": RequestsReader.cookie,
    "auth": RequestsReader.auth,
    "followRedirect": RequestsReader.redirect,
    "ifTrue": RequestsReader.condition,
    "timeout": RequestsReader.timeout,
    "probability": RequestsReader.probability,
    "gzip": RequestsReader.nothing,
    "description": RequestsReader.nothing,
}
_READERS: Final[dict[str, Callable[[RequestsReader, SourceEntry, Keys], None]]] = {
    "json": RequestsReader.json,
    "form": RequestsReader.form,
    "formData": RequestsReader.parts,
    "body": RequestsReader.text,
}


def _absolute(where: str) -> str:
    return where if where.startswith(("/", "http://", "https://", "${")) else f"/{where}"


def _header(value: object) -> str:
    if value is None:
        return ""
    return (
        value
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
