"""HTTP samplers, with the defaults and managers in their scope → requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_plus

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.jmx.elements import JmxElement, JmxProperty
from planrunner.importers.formats.jmx.samplers.timers import milliseconds
from planrunner.importers.formats.jmx.scope import JmxScope
from planrunner.importers.formats.jmx.texts.functions import JmxResolver, split_text
from planrunner.importers.formats.jmx.texts.variables import quoted
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.templates import literal
from planrunner.loss.ledger import Construct

__all__ = ["JmxHttpReader", "is_http"]

_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_HTTP: Final = frozenset({"HTTPSamplerProxy", "HTTPSampler", "HTTPSampler2", "AjpSampler"})
_ORIGIN: Final = re.compile(
    r"((?:https?|[^:/?#]*\$[^:/?#]*)://[^/?#]*)(.*)", re.DOTALL | re.IGNORECASE
)
_HOST: Final = re.compile(
    r"(?:https?|x)://(?:\[[0-9a-f:.]+\]|\w[\w.-]*)(?::\d{1,5})?", re.IGNORECASE
)
_ASSETS: Final = "embedded resources aren't fetched: name those that matter in a `parallel` step"
_READ: Final = (
    *("domain", "port", "protocol", "path", "method", "use_keepalive", "follow_redirects"),
    *("auto_redirects", "connect_timeout", "response_timeout"),
)
_PROXY: Final = ("proxyHost", "proxyPort", "proxyUser", "proxyPass", "proxyScheme")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_http(element: JmxElement) -> bool:
    """Say whether an element sends a request of HTTP."""
    return element.kind in _HTTP


class JmxHttpReader:
    """Reads the samplers of one thread group."""

    def __init__(self, resolver: JmxResolver, files: KeptFiles) -> None:
        self._resolver, self._files = resolver, files
        self._source: tuple[str, Construct]

    def request(self, sampler: JmxElement, scope: JmxScope) -> DraftStep:
        """Return the request that a sampler sends."""
        sampler.settle()
        for one in scope.defaults:
            one.settle()
        verb = self._setting(sampler, scope, "HTTPSampler.method").strip().lower() or "get"
        if verb not in _VERBS:
            sampler.judge("HTTPSampler.method", f"`{verb[:20]}` can't be sent: it is a POST here")
            verb = "post"
        body: Keys = {verb: self._sound(self._url(sampler, scope), sampler)}
        body["name"] = self._name(sampler, body, verb)
        arguments = [*self._arguments(sampler, scope)]
        self._content(sampler, scope, body, verb, arguments)
        headers = self.headers(scope.headers)
        self._cookies_and_connection(sampler, scope, headers)
        self._merge_type(body, headers)
        if headers:
            body["headers"] = headers
        self._settings(sampler, scope, body)
        if body["name"] is None:
            del body["name"]
        return DraftStep(_ordered(body, verb), origin=sampler.construct.place)

    def headers(self, managers: tuple[JmxElement, ...]) -> Keys:
        """Return what header managers give together; inner ones win."""
        found: dict[str, tuple[str, object]] = {}
        for manager in managers:
            manager.settle()
            for one in manager.entries("HeaderManager.headers"):
                name = one.take("Header.name").strip()
                value = one.below("Header.value")
                one.construct.translated()
                if not name:
                    continue
                if not _HEADER.fullmatch(name):
                    one.construct.left_out("it is not the name of a header")
                    continue
                if name.lower() in ("content-length", "host", "connection") and value is not None:
                    self._own_header(name, value)
                    if name.lower() != "host":
                        continue
                text = self._resolver.text(value.read().strip(), value.construct) if value else ""
                found[name.lower()] = (name, " ".join(text.splitlines()))
        return dict(found.values())

    def _own_header(self, name: str, value: JmxProperty) -> None:
        """Judge a header that the client writes itself."""
        if name.lower() == "content-length":
            value.construct.changed("the length is that of the body which is sent")
        elif name.lower() == "connection":
            value.construct.translated()

    def _name(self, sampler: JmxElement, body: Keys, verb: str) -> object:
        del verb
        name = sampler.name or sampler.kind
        text = self._resolver.text(name, sampler.construct)
        return text if text not in body.values() else None

    def _setting(self, sampler: JmxElement, scope: JmxScope, name: str) -> str:
        """Return a property of a sampler, or of the nearest defaults that say something."""
        for one in (sampler, *reversed(scope.defaults)):
            text = one.take(name)
            if text.strip():
                return text
        return ""

    def _text(self, sampler: JmxElement, scope: JmxScope, name: str) -> str:
        text = self._setting(sampler, scope, name).strip()
        return self._resolver.text(text, _construct_of(sampler, scope, name).construct)

    def _url(self, sampler: JmxElement, scope: JmxScope) -> str:
        path = self._text(sampler, scope, "HTTPSampler.path")
        path = "".join(path.split("\n")).replace(" ", "%20") if "${" not in path else path
        domain = self._part(sampler, scope, "HTTPSampler.domain", "localhost")
        if re.match(r"https?://", path, re.IGNORECASE) or (not domain and self._is_url(path)):
            for name in ("port", "protocol"):
                sampler.take(f"HTTPSampler.{name}")
            return path
        protocol = self._part(sampler, scope, "HTTPSampler.protocol", "http").rstrip(":/") or "http"
        given = re.fullmatch(r"(https?)://([^/]*)/*(.*)", domain, re.IGNORECASE)
        if given:
            protocol, domain = given[1].lower(), given[2]
            path = f"/{given[3]}/{path.lstrip('/')}" if given[3] else path
        domain, _, folder = domain.partition("/") if "${" not in domain else (domain, "", "")
        path = f"/{folder.strip('/')}/{path.lstrip('/')}" if folder else path
        if not domain:
            sampler.construct.needs_you("it names no host: set `base_url`")
            domain = "localhost"
        if protocol.lower() not in ("http", "https") and not protocol.startswith("${"):
            sampler.judge(
                "HTTPSampler.protocol", "HTTP is spoken: other protocols can't be fetched"
            )
            protocol = "http"
        path = path if path.startswith(("/", "?")) or not path else f"/{path}"
        return f"{protocol}://{domain}{self._port(sampler, scope, protocol)}{path or '/'}"

    def _sound(self, url: str, sampler: JmxElement) -> str:
        """Return a URL whose host can be one; judges one whose host can't."""
        found = _ORIGIN.fullmatch(url)
        if found is None:
            return url if url.startswith(("/", "${")) else f"http://localhost/{url}"
        plain = re.sub(r":\$\{[^{}]*\}$", ":1", found[1].replace("$${", "{"))
        if _HOST.fullmatch(re.sub(r"\$\{[^{}]*\}", "x", plain)):
            return url
        sampler.construct.needs_you("its host can't be one: set `base_url`")
        rest = found[2]
        return f"http://localhost{rest if rest.startswith('/') else f'/{rest}'}"

    def _is_url(self, path: str) -> bool:
        """Say whether a path is an expression that holds a whole URL."""
        alone = re.match(r"\$\{(\w+)\}", path)
        if alone is None:
            return path.startswith("${")
        param = self._resolver.variables.plan.params.get(alone[1])
        if param is None or not isinstance(param.spec, dict):
            return True
        return str(param.spec.get("default")).startswith(("http://", "https://", "/", "${"))

    def _part(self, sampler: JmxElement, scope: JmxScope, name: str, usual: str) -> str:
        """Return a part of the host; a variable without a value gets one that a person changes."""
        text = self._setting(sampler, scope, name).strip()
        prop = _construct_of(sampler, scope, name)
        unset = re.fullmatch(r"\$\{([A-Za-z_][\w.-]*)\}", text)
        if unset and self._resolver.variables.find(unset[1]) is None:
            added = self._resolver.variables.plan.add(unset[1], usual, prop.construct.place)
            prop.construct.needs_you(f"set the param: nothing sets it, here it is `{usual}`")
            return f"${{{added.code}}}"
        found = self._resolver.text(text, prop.construct)
        alone = re.fullmatch(r"\$\{(\w+)\}", found)
        param = self._resolver.variables.plan.params.get(alone[1]) if alone else None
        if alone is None or param is None or not isinstance(param.spec, dict):
            return found
        given = str(param.spec.get("default"))
        is_empty = given == "" or "$${" in given or (usual.isdigit() and given.isalpha())
        if is_empty or alone[1] in self._resolver.variables.plan.unset:
            param.spec.update(type="str", default=usual)
            self._resolver.variables.plan.unset.discard(alone[1])
            prop.construct.needs_you(f"set the param: it has no value, here it is `{usual}`")
        return found

    def _port(self, sampler: JmxElement, scope: JmxScope, protocol: str) -> str:
        usual = {"http": "80", "https": "443"}.get(protocol.lower(), "")
        port = self._part(sampler, scope, "HTTPSampler.port", usual or "80")
        if "${" in port or (port.isdigit() and port not in ("0", usual) and int(port) < 65536):
            return f":{port}"
        if port not in ("", "0", usual):
            prop = _construct_of(sampler, scope, "HTTPSampler.port")
            prop.construct.suspicious("it is not a port: the usual one is taken")
        return ""

    def _arguments(self, sampler: JmxElement, scope: JmxScope) -> Iterator[JmxProperty]:
        """Yield the arguments of the defaults, then the sampler's own."""
        for one in (*scope.defaults, sampler):
            one.take("HTTPsampler.Arguments")
            for argument in one.entries("HTTPsampler.Arguments", "Arguments.arguments"):
                argument.construct.translated()
                yield argument

    def _content(
        self,
        sampler: JmxElement,
        scope: JmxScope,
        body: Keys,
        verb: str,
        arguments: list[JmxProperty],
    ) -> None:
        """Add arguments as query, form or body, and files as parts."""
        files = [
            one
            for one in sampler.entries("HTTPsampler.Files", "HTTPFileArgs.files")
            if one.take("File.path").strip()
        ]
        has_names = any(one.take("Argument.name").strip() for one in arguments)
        is_raw = sampler.flag("HTTPSampler.postBodyRaw") or (arguments and not has_names)
        multipart = sampler.flag("HTTPSampler.DO_MULTIPART_POST")
        if is_raw and arguments and not files:
            self._raw(arguments, body)
        elif verb in ("get", "head", "options", "delete") and not files:
            self._query(arguments, body)
        elif len(files) == 1 and not files[0].take("File.paramname") and not multipart:
            body["body_file"] = self._file(files[0])
        elif files or (multipart and arguments):
            self._multipart(arguments, files, body)
        elif arguments:
            self._form(arguments, body)
        del scope

    def _raw(self, arguments: list[JmxProperty], body: Keys) -> None:
        text = "".join(one.take("Argument.value") for one in arguments)
        for one in arguments:
            one.take("HTTPArgument.always_encode")
            one.take("Argument.name")
        value = next((found for one in arguments if (found := one.below("Argument.value"))), None)
        construct = (value or arguments[0]).construct
        if text.strip():
            self._source = text.replace("\r\n", "\n").replace("\r", "\n"), construct
            body["body"] = self._resolver.text(self._source[0], construct)

    def _query(self, arguments: list[JmxProperty], body: Keys) -> None:
        query = self._pairs(arguments)
        if query:
            body["query"] = query

    def _form(self, arguments: list[JmxProperty], body: Keys) -> None:
        form = self._pairs(arguments)
        if form:
            body["form"] = form

    def _pairs(self, arguments: list[JmxProperty]) -> Keys:
        """Return arguments by name; a name that stands twice has a list."""
        found: dict[str, list[str]] = {}
        for one in arguments:
            name = one.take("Argument.name").strip()
            value = one.below("Argument.value")
            text = value.read() if value is not None else ""
            is_encoded = one.take("HTTPArgument.always_encode", "true").strip().lower() == "false"
            if is_encoded and "%" in text and "${" not in text:
                text = unquote_plus(text)
            if not name and not text:
                continue
            construct = (value or one).construct
            key = self._resolver.text(name, one.construct)
            if "${" in key:
                one.construct.left_out("the name of a parameter must be known: write it in the URL")
                continue
            found.setdefault(key, []).append(self._resolver.text(text, construct))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def _multipart(
        self, arguments: list[JmxProperty], files: list[JmxProperty], body: Keys
    ) -> None:
        parts: Keys = dict(self._pairs(arguments))
        for one in files:
            name = one.take("File.paramname").strip() or "file"
            part: Keys = {"file": self._file(one)}
            kind = one.take("File.mimetype").strip()
            if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind):
                part["type"] = kind
            parts[name] = part
        body["multipart"] = parts

    def _file(self, one: JmxProperty) -> str:
        one.construct.translated()
        path = one.below("File.path")
        assert path is not None
        return self._files.keep(path.text, path.construct)

    def _cookies_and_connection(self, sampler: JmxElement, scope: JmxScope, headers: Keys) -> None:
        keepalive = self._setting(sampler, scope, "HTTPSampler.use_keepalive").strip().lower()
        if keepalive == "false":
            headers["Connection"] = "close"

    def _merge_type(self, body: Keys, headers: Keys) -> None:
        """Write a body of JSON as `json`, where that is the same."""
        kind = next((name for name in headers if name.lower() == "content-type"), None)
        if "form" in body and kind and "x-www-form-urlencoded" in str(headers[kind]):
            del headers[kind]
        if "multipart" in body and kind:
            del headers[kind]
        if not kind or "body" not in body:
            return
        if str(headers[kind]).split(";")[0].strip().lower() != "application/json":
            return
        value = self._json(*self._source)
        if value is not None:
            body["json"] = value
            del body["body"], headers[kind]

    def _json(self, text: str, construct: Construct) -> object | None:
        """Return a body as JSON whose texts have expressions; None where it is none."""
        codes: list[str] = []
        marked = ""
        for part in split_text(text):
            if isinstance(part, str):
                marked += part
                continue
            value = self._resolver.value(part, construct)
            codes.append(quoted(part.source) if value is None else value.code)
            is_text = value is None or value.kind == "text"
            codes[-1] = codes[-1] if is_text else f"({codes[-1]}) | string"
            marked += f"\ue000{len(codes) - 1}\ue001"
        try:
            found = json.loads(marked, object_pairs_hook=_unique, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict | list) or _depth(found) > 12:
            return None
        return _filled(found, codes)

    def _settings(self, sampler: JmxElement, scope: JmxScope, body: Keys) -> None:
        follows = self._setting(sampler, scope, "HTTPSampler.follow_redirects").strip().lower()
        automatic = self._setting(sampler, scope, "HTTPSampler.auto_redirects").strip().lower()
        if follows == "false" and automatic != "true":
            body["follow_redirects"] = False
        limit = self._limit(sampler, scope)
        if limit:
            body["timeout"] = limit
        for one in (sampler, *scope.defaults):
            self._unsent(one)
            for name in _READ:
                one.take(f"HTTPSampler.{name}")

    def _limit(self, sampler: JmxElement, scope: JmxScope) -> str | None:
        """Return the time limit: that of the reply, and of connecting on top."""
        total, text = 0, ""
        for name in ("HTTPSampler.connect_timeout", "HTTPSampler.response_timeout"):
            text = self._setting(sampler, scope, name).strip()
            if text.isdigit():
                total += int(text)
            elif "${" in text:
                prop = _construct_of(sampler, scope, name)
                value = self._resolver.expression(text, prop.construct)
                if value.is_static and value.kind == "int" and name.endswith("response_timeout"):
                    return f"${{{value.code}}}ms"
                prop.construct.changed(
                    "a time limit must be known before the run: it is 30 seconds"
                )
        only_connect = text in ("", "0") and total
        return milliseconds(total) if total and not only_connect else None

    def _unsent(self, element: JmxElement) -> None:
        """Judge what no request of a plan has."""
        has_assets = element.peek("HTTPSampler.image_parser").strip().lower() == "true"
        if element.peek("HTTPSampler.contentEncoding").strip().lower() in ("", "utf-8", "utf8"):
            element.take("HTTPSampler.contentEncoding")
        element.take("HTTPSampler.postBodyRaw")
        has_proxy = bool(element.peek("HTTPSampler.proxyHost").strip())
        for name, (is_set, why) in {
            "image_parser": (has_assets, _ASSETS),
            "embedded_url_re": (has_assets, _ASSETS),
            "embedded_url_exclude_re": (has_assets, _ASSETS),
            "contentEncoding": (True, "bodies are sent in UTF-8"),
            "md5": (True, "bodies aren't kept, and have no digest"),
            "ipSource": (True, "write `http: {source_addresses: […]}`"),
            **dict.fromkeys(_PROXY, (has_proxy, 'write `http: {proxy: "http://host:port"}`')),
        }.items():
            prop = element.get(f"HTTPSampler.{name}")
            if prop is not None and prop.construct.fate is None:
                if is_set:
                    prop.construct.left_out(why)
                else:
                    prop.construct.translated()


def _construct_of(sampler: JmxElement, scope: JmxScope, name: str) -> JmxProperty:
    """Return the property that a setting comes from."""
    for one in (sampler, *reversed(scope.defaults)):
        if one.peek(name).strip():
            return one.properties[name]
    return JmxProperty(name, "", "", sampler.construct)


def _ordered(body: Keys, verb: str) -> Keys:
    """Return the keys of a request in the order in which people write them."""
    first = (verb, "name", "query", "headers", "json", "form", "multipart", "body", "body_file")
    return {key: body[key] for key in first if key in body} | body


def _filled(value: object, codes: list[str]) -> object:
    """Return JSON with expressions in the place of their marks."""
    if isinstance(value, dict):
        return {_text(key, codes): _filled(one, codes) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, codes) for one in value]
    return _text(value, codes) if isinstance(value, str) else value


def _text(text: str, codes: list[str]) -> str:
    parts = re.split("\ue000(\\d+)\ue001", text)
    return "".join(
        f"${{{codes[int(part)]}}}" if number % 2 else literal(part)
        for number, part in enumerate(parts)
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
