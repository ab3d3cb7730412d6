"""A description of an API → a class that calls each operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPlan, DraftStep, DraftTask, Keys
from planrunner.importers.formats.openapi.references import References
from planrunner.importers.formats.openapi.schemas import schema_file
from planrunner.importers.formats.openapi.values import example_of, made_up
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out, read_document
from planrunner.importers.reading.names import SourceNames
from planrunner.importers.shaping.secrets import secret_param
from planrunner.importers.sources import ImportFault
from planrunner.importers.templates import identifier, literal
from planrunner.values import dataclass

__all__ = ["read"]

_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_PUSHED: Final = "requests that the server sends; a plan sends requests to it"
_JSON: Final = re.compile(r"application/(?:[\w.+-]*\+)?json|\*/\*|application/\*")
_FORM: Final = "application/x-www-form-urlencoded"


def read(request: ImportRequest) -> DraftPlan:
    """Read the first document; others are what it refers to."""
    main = request.files[0]
    root = read_document(main, request.ledger)
    if not root.is_mapping or root.get("paths") is None:
        raise ImportFault(main.name, "no `paths`: not a description of an API")
    description = _Description(
        References(request, main, root), DraftPlan(_title(root) or main.name)
    )
    description.read(root)
    return description.draft


def _title(root: SourceNode) -> str:
    info = root.get("info")
    title = info.get("title") if info is not None else None
    return title.text() if title is not None else ""


@dataclass(slots=True)
class _Description:
    references: References
    draft: DraftPlan
    names: SourceNames = field(default_factory=SourceNames)

    def read(self, root: SourceNode) -> None:
        for one in root.below():
            _judge(one)
        self._serve(root)
        visitor = DraftClass("Client", {"wait": "1s"})
        paths = root.get("paths")
        assert paths is not None, "the caller has looked"
        for path in paths.entries or []:
            item = self.references.follow(path.node)
            for entry in item.entries or [] if item is not None else []:
                if entry.key in _VERBS:
                    assert item is not None, "it has entries"
                    visitor.tasks.append(self._operation(path, item, entry))
        if not visitor.tasks:
            raise ImportFault(self.references.main.name, "it describes no operation")
        self.draft.users.append(visitor)
        self.draft.params.update(self.names.params)

    def _serve(self, root: SourceNode) -> None:
        """Find where the API lives."""
        servers, host = root.get("servers"), root.get("host")
        url = ""
        if servers is not None and servers.items:
            url = self._server(servers.items[0])
        elif host is not None:
            schemes, base = root.get("schemes"), root.get("basePath")
            scheme = schemes.items[0].text() if schemes is not None and schemes.items else "https"
            url = f"{scheme}://{host.text()}{base.text() if base is not None else ''}"
        if not re.match(r"https?://", url):
            help_text = "the description does not say where the API is"
            spec = {"type": "url", "default": "http://127.0.0.1:8000", "help": help_text}
            url = f"${{{self.names.param('target', spec)}}}{url.rstrip('/')}"
        self.draft.http["base_url"] = url.rstrip("/")

    def _server(self, server: SourceNode) -> str:
        found, variables = server.get("url"), server.get("variables")
        url = found.text() if found is not None else ""
        for one in variables.entries or [] if variables is not None else []:
            default = one.node.get("default")
            url = url.replace(f"{{{one.key}}}", default.text() if default is not None else "")
        return url

    def _operation(self, path: SourceEntry, item: SourceNode, entry: SourceEntry) -> DraftTask:
        operation = entry.node
        step = DraftStep({entry.key: literal(path.key)}, origin=entry.construct.place)
        headers: Keys = {}
        query: Keys = {}
        body: Keys = {}
        for parameter in self._parameters(item, operation):
            self._parameter(parameter, step, (query, headers, body))
        step.body["name"] = f"{entry.key.upper()} {path.key}"
        self._secure(operation, headers, query, step.body)
        step.body.update({"query": query} if query else {})
        step.body.update({"headers": headers} if headers else {})
        step.body.update(body or self._body(operation))
        expect = self._expect(entry, path.key)
        step.body.update({"expect": expect} if expect else {})
        if step.body[entry.key] == path.key:
            del step.body["name"]
        named = operation.get("operationId")
        name = named.text() if named is not None else f"{entry.key.upper()} {path.key}"
        keys: Keys = {}
        tags = operation.get("tags")
        if tags is not None and tags.items:
            keys["tags"] = [identifier(one.text()) for one in tags.items]
        notes = [one.text() for key in ("summary",) if (one := operation.get(key)) is not None]
        return DraftTask(name, [step], keys=keys, origin=entry.construct.place, notes=notes)

    def _parameters(self, item: SourceNode, operation: SourceNode) -> Iterator[SourceNode]:
        """Yield the parameters of an operation; its own come before those of its path."""
        seen = set[tuple[str, str]]()
        for owner in (operation, item):
            listed = owner.get("parameters")
            for one in listed.items or [] if listed is not None else []:
                found = self.references.follow(one)
                if found is None:
                    continue
                key = (_text(found, "in"), _text(found, "name"))
                if key not in seen:
                    seen.add(key)
                    yield found

    def _parameter(
        self, node: SourceNode, step: DraftStep, places: tuple[Keys, Keys, Keys]
    ) -> None:
        query, headers, body = places
        name, place = _text(node, "name"), _text(node, "in")
        required = node.get("required")
        is_required = required is not None and required.scalar is True
        schema = node.get("schema") or node
        is_given, value = example_of(node)
        if not is_given:
            is_given, value = example_of(self.references.follow(schema) or schema)
        if place == "body":
            body["json"] = value if is_given else made_up(schema, self.references)
        elif place == "path":
            self._in_path(name, step, node, value if is_given else made_up(schema, self.references))
        elif not (is_required or is_given):
            return  # an optional one without a value: a client leaves it out
        elif place == "formData":
            form = body.setdefault("form", {})
            assert isinstance(form, dict), "only this writes it"
            form[name] = value if is_given else made_up(schema, self.references)
        else:
            value = value if is_given else made_up(schema, self.references)
            target = query if place == "query" else headers
            if place == "cookie":
                headers["Cookie"] = "; ".join(
                    filter(None, [str(headers.get("Cookie", "")), f"{name}={value}"])
                )
            else:
                target[name] = value if place == "query" else _as_text(value)

    def _in_path(self, name: str, step: DraftStep, node: SourceNode, value: object) -> None:
        """Put a param into the path: whoever runs the plan knows which ids there are."""
        verb = next(iter(step.body))
        default = _as_text(value)
        if "${" in default:
            default = "00000000-0000-0000-0000-000000000000" if "uuid" in default else "1"
        kind = "int" if isinstance(value, int) and not isinstance(value, bool) else "str"
        known = self.names.find(name)
        if known is None:
            known = self.names.param(
                name, {"type": kind, "default": value if kind == "int" else default}
            )
            entry = node.entry("name")
            if entry is not None:
                entry.construct.needs_you(f"give the param `{known}` a value that the API knows")
        step.body[verb] = str(step.body[verb]).replace(f"{{{name}}}", f"${{{known}}}")

    def _body(self, operation: SourceNode) -> Keys:
        holder = operation.get("requestBody")
        found = self.references.follow(holder) if holder is not None else None
        content = found.get("content") if found is not None else None
        entries = content.entries or [] if content is not None else []
        if not entries:
            return {}
        chosen = next((one for one in entries if _JSON.match(one.key)), entries[0])
        is_given, value = example_of(chosen.node)
        if not is_given:
            value = made_up(chosen.node.get("schema"), self.references)
        if _JSON.match(chosen.key):
            return {"json": value}
        if chosen.key == _FORM and isinstance(value, dict):
            return {"form": value}
        if chosen.key.startswith("multipart/") and isinstance(value, dict):
            chosen.construct.needs_you("parts that are files are texts here: write `{file: …}`")
            return {"multipart": {name: _as_text(one) for name, one in value.items()}}
        chosen.construct.needs_you(f"a body of `{chosen.key}`: check what is sent")
        return {"body": _as_text(value), "headers": {"Content-Type": chosen.key}}

    def _expect(self, operation: SourceEntry, path: str) -> Keys:
        """Return what the description promises: statuses below 400, and the reply's schema."""
        responses = operation.node.get("responses")
        entries = responses.entries or [] if responses is not None else []
        good = [one for one in entries if re.fullmatch(r"[23](?:\d\d|XX)", one.key.upper())]
        if not good:
            return {}
        statuses = [int(one.key) if one.key.isdigit() else one.key.lower() for one in good]
        expect: Keys = {"status": statuses[0] if len(statuses) == 1 else statuses}
        schema = self._reply_schema(good[0].node)
        if schema is not None and len(good) == 1:
            content = schema_file(schema, self.references.root)
            if content is not None:
                slug = identifier(f"{operation.key} {path}")
                file = f"schemas/{slug}.json"
                self.draft.files[file] = content
                expect["schema"] = file
        return expect

    def _reply_schema(self, response: SourceNode) -> SourceNode | None:
        found = self.references.follow(response)
        if found is None:
            return None
        if (own := found.get("schema")) is not None:
            return own
        content = found.get("content")
        for one in content.entries or [] if content is not None else []:
            if _JSON.match(one.key):
                return one.node.get("schema")
        return None

    def _secure(self, operation: SourceNode, headers: Keys, query: Keys, body: Keys) -> None:
        """Sign in as the first way of the operation's, or of all of them."""
        wanted = operation.get("security") or self.references.root.get("security")
        first = wanted.items[0] if wanted is not None and wanted.items else None
        for one in first.entries or [] if first is not None else []:
            scheme = self._scheme(one.key)
            if scheme is not None:
                self._sign_in(one, scheme, headers, query, body)

    def _scheme(self, name: str) -> SourceNode | None:
        components = self.references.root.get("components")
        listed = components.get("securitySchemes") if components is not None else None
        listed = listed or self.references.root.get("securityDefinitions")
        found = listed.get(name) if listed is not None else None
        return self.references.follow(found) if found is not None else None

    def _sign_in(
        self, entry: SourceEntry, scheme: SourceNode, headers: Keys, query: Keys, body: Keys
    ) -> None:
        kind, way = _text(scheme, "type"), _text(scheme, "scheme").lower()
        if kind == "basic" or (kind == "http" and way == "basic"):
            password = self._secret(f"{entry.key} password", entry)
            user = self.names.find("username") or self.names.param(
                "username", {"type": "str", "default": "user"}
            )
            body["auth"] = {"basic": {"username": f"${{{user}}}", "password": f"${{{password}}}"}}
        elif kind == "apiKey":
            value = f"${{{self._secret(entry.key, entry)}}}"
            name, place = _text(scheme, "name"), _text(scheme, "in")
            if place == "query":
                query[name] = value
            elif place == "cookie":
                headers["Cookie"] = f"{name}={value}"
            else:
                headers[name] = value
        else:
            body["auth"] = {"bearer": f"${{{self._secret(entry.key, entry)}}}"}

    def _secret(self, name: str, entry: SourceEntry) -> str:
        known = self.names.find(f"secret {name}")
        if known is None:
            known = self.names.reserve(name)
            self.names.params[known] = secret_param("what the API asks its clients for")
            self.names.mean(f"secret {name}", known)
            entry.construct.needs_you(f"give the param `{known}` a value")
        return known


def _judge(entry: SourceEntry) -> None:
    """Judge a key by itself; what is read of it may be judged worse."""
    if entry.key in ("callbacks", "webhooks"):
        leave_out(entry, _PUSHED)
    else:
        entry.construct.translated()


def _text(node: SourceNode, key: str) -> str:
    found = node.get(key)
    return found.text() if found is not None else ""


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_as_text(one) for one in value)
    return "" if value is None else str(value)
