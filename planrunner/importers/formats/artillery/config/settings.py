"""`config` of Artillery, but for its load: target, headers, variables, payloads, plug-ins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from planrunner.importers.draft import Keys
from planrunner.importers.formats.artillery.config.outputs import read_outputs
from planrunner.importers.formats.artillery.config.payloads import read_payload
from planrunner.importers.formats.artillery.config.processors import read_processor_file
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.formats.artillery.meant import with_default
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceEntry
from planrunner.importers.reading.documents import leave_out, suspect
from planrunner.importers.reading.expressions import computes, expression_of
from planrunner.importers.reading.headers import sendable
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.importers.templates import literal

__all__ = ["ConfigReader", "handshake"]

_POOL: Final = "connections belong to a user and are not shared: `http.pool.per_user`"
_URL: Final = re.compile(r"(?:https?|wss?)://[^/\s]+", re.IGNORECASE)
_READ_ELSEWHERE: Final = frozenset({"target", "phases", "ensure", "environments"})
_EVERYWHERE: Final = "it counts in all environments, not in this one only"
_OF_HTTP: Final = frozenset({"cookieJarOptions", "distributedTracing"})
_MOST_CONNECTIONS: Final = 64
_NO_HOST: Final = "http://localhost:8000"


class ConfigReader:
    """Reads `config` into a draft; afterwards its names are known."""

    def __init__(self, test: ArtilleryTest) -> None:
        self.test, self.draft = test, test.draft
        self.expressions = ArtilleryExpressions(test)
        self.shared: Keys = {"timeout": "10s", "session": "iteration"}
        self.connections: Keys = {"keepalive": "iteration"}

    def read(self) -> None:
        """Read all but `phases`, `ensure` and `environments`."""
        for config in self.test.configs():
            for one in config.entries or []:
                read = _KEYS.get(one.key)
                if read is not None:
                    one.construct.translated()
                    read(self, one)
                elif one.key not in _READ_ELSEWHERE:
                    suspect(one, "Artillery itself reads no such setting")
        self._of_environments()
        self.draft.http.update(self.shared)
        if self.connections:
            self.draft.http["pool"] = self.connections

    def _of_environments(self) -> None:
        """Read what an environment has and the test itself has not: `expect`, functions."""
        entry = self.test.config("environments")
        is_everywhere = self.test.checks_expect
        for one in (entry.node.entries or []) if entry is not None else []:
            plugins, processor = one.node.entry("plugins"), one.node.entry("processor")
            expect = plugins.node.entry("expect") if plugins is not None else None
            if expect is not None and not is_everywhere:
                expect.construct.translated()
                has_profile = one.node.entry("phases") is not None
                self.expect(expect, profile=one.key if has_profile else "")
                if not has_profile:
                    expect.construct.changed(_EVERYWHERE)
            if processor is not None and not self.test.processor:
                processor.construct.changed(_EVERYWHERE)
                self.processor(processor)

    def target(self, *, is_param: bool) -> None:
        """Make the target the base URL: a param where environments have others."""
        entry = self._target_entry()
        text = _plain_target(entry) if entry is not None else ""
        if _URL.match(text) and text.startswith("ws"):
            self._socket(text)
            return
        if "{{" in text and entry is not None:
            text = self._computed(text, entry)
        elif not text:
            self.draft.notes.append("TODO import: the original names no target: write `base_url`")
            text = _NO_HOST
        if is_param and "${" not in text:
            name = self.test.names.param("target", {"type": "url", "default": text})
            text = f"${{{name}}}"
        elif "target" not in self.test.names.params:
            self.test.names.mean("target", f"'{text}'")
        self.draft.http = {"base_url": text.rstrip("/") or _NO_HOST, **self.draft.http}

    def _target_entry(self) -> SourceEntry | None:
        """Return the target; that of the first environment where the test itself has none."""
        entry, environments = self.test.config("target"), self.test.config("environments")
        if entry is not None or environments is None or not environments.node.entries:
            return entry
        return environments.node.entries[0].node.entry("target")

    def _socket(self, target: str) -> None:
        """Take a WebSocket as the target; requests over HTTP go to the same host."""
        self.test.names.mean("target", f"'{target}'")
        self.draft.extra["ws"] = {"url": target}
        self.draft.http["base_url"] = target.replace("ws", "http", 1)

    def _computed(self, text: str, entry: SourceEntry) -> str:
        """Return a target with templates; it is known before the run, so params make it."""
        fallback = with_default(text.removeprefix("{{").removesuffix("}}"))
        if fallback is not None and _URL.match(fallback[1]):
            entry.construct.suspicious("Artillery knows no `||` here; this is what must be meant")
            target: Keys = {"type": "url", "default": fallback[1]}
            return f"${{{self.expressions.environment(fallback[0], entry.construct, target)}}}"
        inner = re.fullmatch(
            r"\{\{\s*\$(?:processEnvironment|env)\.(\w+)\s*\}\}(.*)", text, re.DOTALL
        )
        if inner is None:
            found = self.expressions.text(text, entry.construct)
            if re.match(r"https?://[^$]|\$\{\w+\}", found):
                return found
            entry.construct.needs_you("write the `base_url`")
            return _NO_HOST
        spec: Keys = {"type": "url", "default": _NO_HOST}
        name = self.expressions.environment(inner[1], entry.construct, spec)
        return f"${{{name}}}{literal(inner[2])}"

    def timeout(self, one: SourceEntry) -> None:
        time = read_seconds(one.node.scalar)
        if time:
            self.shared["timeout"] = seconds(time)

    def http(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            read = _HTTP.get(below.key)
            if read is not None:
                below.construct.translated()
                read(self, below)
            elif below.key not in _OF_HTTP:
                suspect(below, "Artillery reads no such setting of HTTP")

    def pool(self, one: SourceEntry) -> None:
        one.construct.changed(_POOL)
        self.connections = {}

    def sockets(self, one: SourceEntry) -> None:
        number = one.node.scalar
        if isinstance(number, int) and number > _MOST_CONNECTIONS and self._sends_side_by_side():
            one.construct.changed(f"a user has {_MOST_CONNECTIONS} connections at most")
        if isinstance(number, int) and number > 0:
            self.connections["per_user"] = min(number, _MOST_CONNECTIONS)

    def _sends_side_by_side(self) -> bool:
        return any(one.key == "parallel" for _, root in self.test.roots for one in root.below())

    def defaults(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            below.construct.translated()
            if below.key == "headers":
                value = self.expressions.value(below.node, below.construct)
                if isinstance(value, dict) and value:
                    sent = sendable(value, below.construct)
                    known = self.shared.get("headers", {})
                    assert isinstance(known, dict), "only this reader writes it"
                    self.shared["headers"] = {
                        **{key: _text(each) for key, each in sent.items()},
                        **known,
                    }
            elif below.key == "think":
                jitter = below.node.take("jitter")
                self.test.jitter = jitter.text() if jitter else ""
            elif below.key == "strictCapture":
                self.test.strict = below.node.scalar is not False
            elif below.key == "cookie":
                self._cookies(below)
            else:
                suspect(below, "Artillery reads no such default")

    def _cookies(self, one: SourceEntry) -> None:
        """Send cookies with every request."""
        value = self.expressions.value(one.node, one.construct)
        if isinstance(value, dict) and value:
            headers = self.shared.setdefault("headers", {})
            assert isinstance(headers, dict), "only this reader writes it"
            pairs = {key: _text(each) for key, each in value.items()}
            self.test.default_cookies = pairs
            headers["Cookie"] = "; ".join(f"{key}={each}" for key, each in pairs.items())
            one.construct.changed("cookies of these names that the server sets do not replace them")

    def tls(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            if below.key == "rejectUnauthorized":
                below.construct.translated()
                if below.node.scalar is False:
                    self.shared["verify"] = False
            elif below.key in ("ca", "cert", "key", "pfx"):
                leave_out(below, "name the PEM files: `http: {ca: FILE, cert: FILE}`")

    def websocket(self, one: SourceEntry) -> None:
        settings: Keys = {}
        for below in one.node.entries or []:
            if below.key in ("subprotocols", "headers"):
                below.construct.translated()
                value = self.expressions.value(below.node, below.construct)
                settings.update(handshake({below.key: value}))
            elif below.key == "rejectUnauthorized":
                below.construct.translated()
                if below.node.scalar is False:
                    self.shared["verify"] = False
        if settings:
            known = self.draft.extra.setdefault("ws", {})
            assert isinstance(known, dict)
            known.update(settings)

    def processor(self, one: SourceEntry) -> None:
        read_processor_file(one, self.test)

    def variables(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            below.construct.translated()
            self._variable(below)

    def _variable(self, one: SourceEntry) -> None:
        names, value = self.test.names, self.expressions.value(one.node, one.construct)
        if names.find(one.key) is not None:
            return
        if computes(value):
            said = expression_of(value)
            names.mean(one.key, f"rand.choice({said})" if isinstance(value, list) else f"({said})")
        elif isinstance(value, list) and value and _is_row_list(value):
            name = names.reserve(one.key)
            names.mean(one.key, name)
            self.draft.data[name] = {"list": value, "order": "random", "per": "user"}
        elif isinstance(value, list):
            name = names.param(one.key, {"type": "list", "default": value})
            names.mean(one.key, f"({name} | random)")
        elif isinstance(value, dict):
            name = names.param(one.key, {"type": "list", "default": [value]})
            names.mean(one.key, f"{name}[0]")
        else:
            names.param(one.key, _spec(value))

    def payload(self, one: SourceEntry) -> None:
        for node in one.node.each():
            read_payload(node, self.test)

    def plugins(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            read = _PLUGINS.get(below.key)
            if read is not None:
                below.construct.translated()
                read(self, below)
            else:
                leave_out(below, f"planrunner has no such plug-in: `{below.key}`")

    def endpoints(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            below.construct.translated()
            if below.key == "stripQueryString":
                self.test.strips_query = below.node.scalar is True
            elif below.key == "ignoreUnnamedRequests" and below.node.scalar is True:
                below.construct.changed("requests without a name are in the results too")

    def expect(self, one: SourceEntry, profile: str = "") -> None:
        self.test.checks_expect = True
        self.test.expects_in.append((profile, one.construct.place))
        for below in one.node.entries or []:
            below.construct.translated()
            if below.key == "expectDefault200":
                self.test.expects_200 = below.node.scalar in (True, "true")
            elif below.key == "reportFailuresAsErrors":
                self.test.fails_visits = bool(below.node.scalar)

    def engines(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            if below.key == "ws":
                below.construct.translated()
                self.websocket(below)
            elif below.key in ("socketio", "socketio-v3"):
                below.construct.translated()
            else:
                leave_out(below, f"planrunner has no engine `{below.key}`")

    def publish(self, one: SourceEntry) -> None:
        read_outputs(one, self.test)

    def later(self, one: SourceEntry) -> None:
        """Take what is read with the scenarios."""

    def fakes(self, one: SourceEntry) -> None:
        for below in one.node.entries or []:
            leave_out(below, "write the arguments of the function: `fake.password(length=16)`")

    def nothing(self, one: SourceEntry) -> None:
        one.node.whole()


_ReadSetting = Callable[[ConfigReader, SourceEntry], None]
_KEYS: Final[dict[str, _ReadSetting]] = {
    "timeout": ConfigReader.timeout,
    "http": ConfigReader.http,
    "defaults": ConfigReader.defaults,
    "tls": ConfigReader.tls,
    "ws": ConfigReader.websocket,
    "processor": ConfigReader.processor,
    "variables": ConfigReader.variables,
    "payload": ConfigReader.payload,
    "plugins": ConfigReader.plugins,
    "engines": ConfigReader.engines,
    **dict.fromkeys(("includeFiles", "statsInterval", "bundling", "mode"), ConfigReader.nothing),
    "apdex": ConfigReader.later,
    "socketio": ConfigReader.later,
    "socketio-v3": ConfigReader.later,
}
_HTTP: Final[dict[str, _ReadSetting]] = {
    "timeout": ConfigReader.timeout,
    "pool": ConfigReader.pool,
    "maxSockets": ConfigReader.sockets,
    "defaults": ConfigReader.defaults,
    "extendedMetrics": ConfigReader.nothing,
}
_PLUGINS: Final[dict[str, _ReadSetting]] = {
    "expect": ConfigReader.expect,
    "metrics-by-endpoint": ConfigReader.endpoints,
    "publish-metrics": ConfigReader.publish,
    "apdex": ConfigReader.later,
    "ensure": ConfigReader.nothing,
    "fake-data": ConfigReader.fakes,
    "http-file-uploads": ConfigReader.nothing,
}


def _plain_target(entry: SourceEntry) -> str:
    entry.construct.translated()
    text = entry.node.text().strip()
    if "{{" in text or (_URL.match(text) and _is_url(text)):
        return text if "{{" in text else literal(text)
    entry.construct.needs_you("not a URL: write the `base_url`")
    return _NO_HOST


def _is_url(text: str) -> bool:
    try:
        return urlsplit(text).port is None or " " not in text
    except ValueError:
        return False


def handshake(keys: Keys) -> Keys:
    """Return settings of a handshake; subprotocols have a key of their own, not a header."""
    headers = keys.get("headers")
    if not isinstance(headers, dict):
        return keys
    others = {one: _text(each) for one, each in headers.items()}
    found = {key: one for key, one in keys.items() if key != "headers"}
    for one in list(others):
        if one.lower() == "sec-websocket-protocol":
            found.setdefault("subprotocols", [each.strip() for each in others.pop(one).split(",")])
    return {**found, "headers": others} if others else found


def _spec(value: object) -> Keys:
    kind = {bool: "bool", int: "int", float: "float"}.get(type(value), "str")
    return {"type": kind, "default": "" if value is None else value}


def _is_row_list(value: list[object]) -> bool:
    """Whether a list can be rows of data: all values, or all mappings with the same keys."""
    if all(isinstance(one, str | int | float) for one in value):
        return True
    keys = [set(one) if isinstance(one, dict) else None for one in value]
    return keys[0] is not None and bool(keys[0]) and all(one == keys[0] for one in keys)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
