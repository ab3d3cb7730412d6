"""Commands of curl → requests of one user, in their order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftParam, DraftPlan, DraftStep, Keys
from planrunner.importers.formats.curl.options import IGNORED, CurlOption, read_options
from planrunner.importers.formats.curl.shell import ShellWord, commands
from planrunner.importers.shaping.secrets import is_secret_name
from planrunner.importers.sources import ImportFault
from planrunner.importers.templates import identifier, literal
from planrunner.loss.ledger import Construct, Ledger

__all__ = ["read"]

_VERBS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_FORM: Final = "application/x-www-form-urlencoded"
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_SCHEME: Final = re.compile(r"[a-z]+://", re.IGNORECASE)


def read(request: ImportRequest) -> DraftPlan:
    """Read the commands of all files; what is no command of curl is left out."""
    draft = DraftPlan(Path(request.files[0].name).stem if request.files[0].path else "curl")
    visitor = DraftClass("User")
    for file in request.files:
        for words in commands(file):
            visitor.steps += _command(words, draft, request.ledger)
    _stay_where_sent(draft, visitor.steps)
    if not visitor.steps:
        raise ImportFault(request.files[0].name, "no command of curl with a URL")
    draft.users.append(visitor)
    return draft


def _stay_where_sent(draft: DraftPlan, steps: Sequence[DraftStep]) -> None:
    """Follow redirects only where a command says so: planrunner does it by itself."""
    if all(step.body.get("follow_redirects") is False for step in steps):
        draft.http["follow_redirects"] = False
        for step in steps:
            del step.body["follow_redirects"]


def _command(words: Sequence[ShellWord], draft: DraftPlan, ledger: Ledger) -> list[DraftStep]:
    if words and words[0].text == "$":
        words = words[1:]
    if words and words[0].text == "export":
        words = words[1:]
    if words and all(_ASSIGNMENT.match(word.text) for word in words):
        for word in words:
            _assign(word, draft, ledger)
        return []
    name = words[0].text if words else ""
    if name not in ("curl", "curl.exe"):
        ledger.add("command", name, words[0].place).left_out(
            "only commands of curl are read; a step `exec` runs a command"
        )
        return []
    ledger.add("command", "curl", words[0].place).translated()
    made = _CurlRequest(draft, ledger)
    for option in read_options(words[1:]):
        made.take(option)
    return made.steps()


def _assign(word: ShellWord, draft: DraftPlan, ledger: Ledger) -> None:
    """Make a variable of the script a param with its value, unless that is a secret."""
    name, _, value = word.text.partition("=")
    construct = ledger.add("variable", name, word.place)
    param = identifier(name)
    if is_secret_name(name):
        draft.params[param] = _secret(name, word)
        construct.needs_you(f"give the param `{param}` a value: secrets are not in plans")
    elif any(not isinstance(part, str) for part in word.parts):
        draft.params[param] = DraftParam({"type": "str", "env": name}, origin=word.place)
        construct.needs_you(f"give the param `{param}` a value: the script computes it")
    else:
        spec: Keys = {"type": "str", "env": name, "default": value}
        draft.params[param] = DraftParam(spec, origin=word.place)
        construct.translated()


def _secret(name: str, word: ShellWord) -> DraftParam:
    env = name if name.isidentifier() else identifier(name).upper()
    return DraftParam({"type": "str", "env": env, "secret": True}, origin=word.place)


_SECRET: Final = frozenset(
    {"user", "proxy-user", "cert", "pass", "proxy-cert", "proxy-pass", "oauth2-bearer"}
)
"""Options whose values are nobody's business."""


@dataclass(slots=True)
class _CurlRequest:
    """What one command says."""

    draft: DraftPlan
    ledger: Ledger
    verb: str = ""
    urls: list[CurlOption] = field(default_factory=list)
    headers: Keys = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    parts: Keys = field(default_factory=dict)
    keys: Keys = field(default_factory=dict)
    is_query: bool = False
    is_json: bool = False
    follows: bool = False

    def take(self, option: CurlOption) -> None:
        """Read one option."""
        words = (
            option.word.text
            if option.value in (None, option.word)
            else f"{option.word.text} {option.text}"
        )
        if option.name in _SECRET:
            words = f"--{option.name} …"
        construct = self.ledger.add("option", words.partition("\n")[0], option.word.place)
        known = _OPTIONS.get(option.name)
        if known is not None and (option.value is not None or option.name in _FLAGS):
            construct.translated()
            known(self, option, construct)
        elif option.name in IGNORED:
            construct.translated()
        else:
            construct.left_out(
                f"planrunner does not read `--{option.name}`; see `http:` of the plan"
            )

    def text(self, word: ShellWord | None) -> str:
        """Return a word as text of a plan; variables of the shell are params."""
        if word is None:
            return ""
        return "".join(
            literal(one) if isinstance(one, str) else self._variable(one, word)
            for one in word.parts
        )

    def _variable(self, variable: tuple[str, str], word: ShellWord) -> str:
        name, rest = variable
        if not name:
            self.ledger.add("variable", rest, word.place).left_out(
                "set what this command printed as a param"
            )
            name, rest = "output", ""
        else:
            self.ledger.add("variable", name, word.place).translated()
        param = identifier(name)
        if param not in self.draft.params and is_secret_name(name):
            self.draft.params[param] = _secret(name, word)
        elif param not in self.draft.params:
            spec: Keys = {"type": "str", "env": name if name.isidentifier() else param.upper()}
            self.draft.params[param] = DraftParam({**spec, "default": rest}, origin=word.place)
        return f"${{{param}}}"

    def steps(self) -> list[DraftStep]:
        """Return a step for each URL."""
        body = self._body()
        verb = self.verb or ("POST" if body or self.parts else "GET")
        return [self._step(one, verb, body) for one in self.urls]

    def _step(self, url: CurlOption, verb: str, body: Keys) -> DraftStep:
        address = self.text(url.value)
        if not _SCHEME.match(address) and not address.startswith("${"):
            address = f"http://{address}"
        if self.is_query and self.data:
            address += ("&" if "?" in address else "?") + "&".join(self.data)
        keys: Keys = {verb.lower(): address.partition("#")[0]}
        headers = {"headers": dict(self.headers)} if self.headers else {}
        stays = {} if self.follows else {"follow_redirects": False}
        return DraftStep({**keys, **headers, **body, **self.keys, **stays}, origin=url.word.place)

    def _body(self) -> Keys:
        if self.parts:
            return {"multipart": self.parts}
        if not self.data or self.is_query:
            return {}
        text = ("" if self.is_json else "&").join(self.data)
        kind = next((str(v) for k, v in self.headers.items() if k.lower() == "content-type"), "")
        if self.is_json or "json" in kind:
            return self._json(text)
        pairs = parse_qsl(text, keep_blank_values=True)
        names = [name for name, _ in pairs]
        is_form = kind in ("", _FORM) and len(set(names)) == len(names) and urlencode(pairs) == text
        if is_form and pairs and "$" not in text:
            self._drop_header("content-type")
            return {"form": dict(pairs)}
        if not kind:
            self.headers["Content-Type"] = _FORM
        return {"body": text}

    def _json(self, text: str) -> Keys:
        """Return JSON as values of the plan where that says the same."""
        try:
            value = json.loads(text)
        except ValueError:
            if self.is_json:
                self.headers.setdefault("Content-Type", "application/json")
            return {"body": text}
        if not isinstance(value, dict | list):
            return {"body": text}
        self._drop_header("content-type", "application/json")
        return {"json": value}

    def _drop_header(self, name: str, value: str | None = None) -> None:
        for key in [key for key in self.headers if key.lower() == name]:
            if value is None or self.headers[key] == value:
                del self.headers[key]

    def set_verb(self, option: CurlOption, construct: Construct) -> None:
        verb = option.text.upper()
        if verb in _VERBS:
            self.verb = verb
        else:
            construct.left_out(
                f"planrunner has no method {verb}: the request goes as its body says"
            )

    def set_header(self, option: CurlOption, construct: Construct) -> None:
        text = self.text(option.value)
        name, colon, value = text.partition(":")
        if text.startswith("@"):
            construct.needs_you("write the headers of this file into `headers`")
        elif not colon and not text.endswith(";"):
            construct.suspicious("a header has a colon: curl does not send this")
        elif name.strip().lower() not in ("content-length", "host", "connection"):
            self.headers[name.strip().rstrip(";")] = value.strip()
        elif name.strip().lower() == "host":
            self.headers["Host"] = value.strip()

    def add_data(self, option: CurlOption, construct: Construct) -> None:
        text = self.text(option.value)
        if text.startswith("@") and option.name != "data-raw":
            construct.needs_you("copy the file beside the plan")
            self.keys["body_file"] = text[1:]
            self.verb = self.verb or "POST"
        elif option.name == "data-urlencode":
            name, equals, value = text.partition("=")
            self.data.append(f"{name}={_quoted(value)}" if equals else _quoted(text))
        else:
            self.data.append(text)
        if option.name == "json":
            self.is_json = True
            self.headers.setdefault("Accept", "application/json")

    def add_part(self, option: CurlOption, construct: Construct) -> None:
        name, _, value = self.text(option.value).partition("=")
        if value.startswith(("@", "<")) and option.name == "form":
            construct.needs_you("copy the file beside the plan")
            self.parts[name] = {"file": value[1:].partition(";")[0]}
        else:
            self.parts[name] = value

    def add_url(self, option: CurlOption, construct: Construct) -> None:
        if re.search(r"[\[{][^\]}]*[-,][^\]}]*[\]}]", option.text.replace("${", "")):
            construct.changed("curl makes several URLs of this pattern; here it is one")
        self.urls.append(option)

    def set_user(self, option: CurlOption, construct: Construct) -> None:
        del construct
        name, _, password = self.text(option.value).partition(":")
        self.keys["auth"] = {"basic": {"username": name, "password": password}}

    def set_bearer(self, option: CurlOption, construct: Construct) -> None:
        del construct
        self.keys["auth"] = {"bearer": self.text(option.value)}

    def set_cookie(self, option: CurlOption, construct: Construct) -> None:
        text = self.text(option.value)
        if "=" not in text:
            construct.left_out(
                "the jar of cookies is a file of curl's; users have jars of their own"
            )
        else:
            self.headers["Cookie"] = text

    def set_timeout(self, option: CurlOption, construct: Construct) -> None:
        if re.fullmatch(r"\d+(\.\d+)?", option.text):
            self.keys["timeout"] = f"{option.text}s"
        else:
            construct.left_out("write it as `timeout: 30s`")

    def set_plan_key(self, key: str, value: object, construct: Construct) -> None:
        if self.draft.http.setdefault(key, value) != value:
            construct.changed(
                f"`http.{key}` holds for all requests, and another command says otherwise"
            )


def _quoted(text: str) -> str:
    return text if "${" in text else urlencode({"": text})[1:]


def _header(name: str) -> Callable[[_CurlRequest, CurlOption, Construct], None]:
    def take(request: _CurlRequest, option: CurlOption, _: Construct) -> None:
        request.headers[name] = request.text(option.value)

    return take


def _plan(
    key: str, *, value: object = None
) -> Callable[[_CurlRequest, CurlOption, Construct], None]:
    def take(request: _CurlRequest, option: CurlOption, construct: Construct) -> None:
        request.set_plan_key(key, request.text(option.value) if value is None else value, construct)

    return take


def _flag(name: str, *, value: object) -> Callable[[_CurlRequest, CurlOption, Construct], None]:
    def take(request: _CurlRequest, _: CurlOption, __: Construct) -> None:
        setattr(request, name, value)

    return take


_OPTIONS: Final[dict[str, Callable[[_CurlRequest, CurlOption, Construct], None]]] = {
    "request": _CurlRequest.set_verb,
    "header": _CurlRequest.set_header,
    "url": _CurlRequest.add_url,
    "user": _CurlRequest.set_user,
    "oauth2-bearer": _CurlRequest.set_bearer,
    "cookie": _CurlRequest.set_cookie,
    "max-time": _CurlRequest.set_timeout,
    "form": _CurlRequest.add_part,
    "form-string": _CurlRequest.add_part,
    **dict.fromkeys(
        ("data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json"),
        _CurlRequest.add_data,
    ),
    "user-agent": _header("User-Agent"),
    "referer": _header("Referer"),
    "insecure": _plan("verify", value=False),
    "proxy": _plan("proxy"),
    "cacert": _plan("ca"),
    "http2": _plan("version", value=2),
    "get": _flag("is_query", value=True),
    "head": _flag("verb", value="HEAD"),
    "location": _flag("follows", value=True),
}
_FLAGS: Final = frozenset({"insecure", "http2", "get", "head", "location"})
