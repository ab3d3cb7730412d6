"""One command of curl: its options → the steps of its URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys
from planrunner.importers.formats.curl.bodies import CurlBody
from planrunner.importers.formats.curl.options import IGNORED, INSTEAD, CurlOption
from planrunner.importers.formats.curl.shell import ShellCommand
from planrunner.importers.formats.curl.urls import plain_url, urls_of
from planrunner.importers.formats.curl.variables import ScriptVariables
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.loss.ledger import Construct, Ledger

__all__ = ["CurlRequest"]

_VERBS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_OWN_HEADERS: Final = frozenset({"content-length", "connection", "transfer-encoding", "expect"})
_OPTIONS_IN_ONE: Final = re.compile(
    r"(?i)\$\{\w*(?:opt|arg|flag|header|param)\w*\}|\$\{\w+\[[@*]\]\}|\$[@*]"
)
"""What has options of curl in it and not a URL: `$CURL_OPTS`, `"${args[@]}"`."""

_SECRET: Final = frozenset(
    {"user", "proxy-user", "cert", "pass", "proxy-cert", "proxy-pass", "oauth2-bearer"}
)
"""Options whose values are nobody's business."""


class CurlRequest:
    """What one command says."""

    def __init__(
        self,
        draft: DraftPlan,
        ledger: Ledger,
        variables: ScriptVariables,
        files: KeptFiles,
        stdin: ShellCommand | None,
    ) -> None:
        self._draft, self._ledger, self._text = draft, ledger, variables.text
        self._files = files
        self._body = CurlBody(files, stdin, variables.text)
        self._verb = ""
        self._urls: list[tuple[CurlOption, Construct]] = []
        self._headers: Keys = {}
        self._query: list[str] = []
        self._keys: Keys = {}
        self._user = ""
        self._scheme = "basic"
        self._end_of_url = ""
        self._flags: set[str] = set()

    def take(self, option: CurlOption) -> None:
        """Read one option."""
        is_alone = option.value in (None, option.word)
        words = option.word.text if is_alone else f"{option.word.text} {option.text}"
        if option.name in _SECRET:
            words = f"--{option.name} …"
        construct = self._ledger.add("option", words.partition("\n")[0][:200], option.word.place)
        known = _OPTIONS.get(option.name)
        self._flags.add(option.name)
        if option.name in _FLAGS:
            construct.translated()
        elif known is not None and option.value is not None:
            construct.translated()
            known(self, option, construct)
        elif option.name in IGNORED or option.name.startswith("no-"):
            construct.translated()
        else:
            construct.left_out(
                INSTEAD.get(
                    option.name,
                    f"planrunner does not read `--{option.name}`; see `http:` of the plan",
                )
            )

    def steps(self) -> list[DraftStep]:
        """Return a step for each URL."""
        self._set_plan_keys()
        self._body.is_query = "get" in self._flags
        body = self._body.keys(self._headers)
        if self._user:
            self._keys |= self._auth()
        verb = "GET" if self._body.is_query else self._body.verb or "GET"
        verb = self._verb or ("HEAD" if "head" in self._flags else verb)
        return [
            self._step(url, option, verb, body)
            for option, construct in self._urls
            for url in self._addresses(option, construct)
        ]

    def _addresses(self, option: CurlOption, construct: Construct) -> list[str]:
        text = self._text(option.value)
        if "globoff" in self._flags:
            return [text]
        return urls_of(text, construct)

    def _step(self, url: str, option: CurlOption, verb: str, body: Keys) -> DraftStep:
        address = plain_url(url, keeps_dots="path-as-is" in self._flags)
        if address.endswith("/") and self._end_of_url:
            address += self._end_of_url
        for query in filter(None, (self._body.query(), *self._query)):
            address += ("&" if "?" in address else "?") + query
        headers = {"headers": dict(self._headers)} if self._headers else {}
        follows = not self._flags.isdisjoint(("location", "location-trusted"))
        stays = {} if follows else {"follow_redirects": False}
        keys = {verb.lower(): address, **headers, **body, **self._keys, **stays}
        return DraftStep(keys, origin=option.word.place)

    def _auth(self) -> Keys:
        name, _, password = self._user.partition(":")
        if "digest" in self._flags:
            return {"auth": {"digest": {"username": name, "password": password}}}
        if not self._flags.isdisjoint(("ntlm", "negotiate", "aws-sigv4")):
            return {}
        return {"auth": {"basic": {"username": name, "password": password}}}

    def _set_plan_keys(self) -> None:
        for flag, key, value in _PLAN_FLAGS:
            if flag in self._flags:
                self._draft.http.setdefault(key, value)

    def _set_plan_key(self, key: str, value: object, construct: Construct) -> None:
        if self._draft.http.setdefault(key, value) != value:
            construct.changed(
                f"`http.{key}` holds for all requests, and another command says otherwise"
            )

    def set_verb(self, option: CurlOption, construct: Construct) -> None:
        verb = option.text.upper()
        if verb in _VERBS:
            self._verb = verb
        else:
            construct.left_out(
                f"planrunner has no method {verb[:40]}: the request goes as its body says"
            )
        if verb != option.text and verb in _VERBS:
            construct.suspicious(f"curl sends `{option.text}` as it stands; methods are upper case")

    def set_header(self, option: CurlOption, construct: Construct) -> None:
        text = self._text(option.value).strip()
        name, colon, value = text.partition(":")
        name, value = name.strip(), " ".join(value.split("\n")).strip()
        if text.startswith("@"):
            construct.needs_you("write the headers of this file into `headers`")
        elif not colon and not text.endswith(";"):
            construct.suspicious("a header has a colon: curl does not send this")
        elif not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.rstrip(";")):
            construct.left_out("no header can have this name: write what was meant")
        elif colon and not value and name.lower() != "content-type":
            return  # what curl would send by itself is not sent
        elif name.lower() == "cookie":
            self._add_header("Cookie", value, "; ")
        elif name.lower() not in _OWN_HEADERS:
            self._add_header(name.rstrip(";"), value, ", ")

    def _add_header(self, name: str, value: str, between: str) -> None:
        before = next((one for one in self._headers if one.lower() == name.lower()), None)
        if before is None:
            self._headers[name] = value
        else:
            self._headers[before] = f"{self._headers[before]}{between}{value}"

    def add_data(self, option: CurlOption, construct: Construct) -> None:
        self._body.add_data(option.name, self._text(option.value), construct)

    def add_part(self, option: CurlOption, construct: Construct) -> None:
        is_text = option.name == "form-string"
        self._body.add_part(self._text(option.value), construct, is_text=is_text)

    def upload(self, option: CurlOption, construct: Construct) -> None:
        self._end_of_url = self._body.upload(self._text(option.value), construct)

    def add_url(self, option: CurlOption, construct: Construct) -> None:
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", option.text)
        if not option.text:
            construct.suspicious("an empty URL: curl refuses it")
        elif scheme is not None and scheme[1].lower() not in ("http", "https"):
            construct.left_out(f"planrunner sends HTTP, and not {scheme[1]}")
        elif _OPTIONS_IN_ONE.fullmatch(option.text):
            construct.left_out("write the options that this variable holds")
        else:
            self._urls.append((option, construct))

    def add_query(self, option: CurlOption, construct: Construct) -> None:
        self._query.append(self._body.encoded(self._text(option.value), construct))

    def set_named_header(self, name: str, option: CurlOption) -> None:
        """Take an option that is a header by itself; an empty one is not sent."""
        value = self._text(option.value).removesuffix(";auto")
        if value:
            self._add_header(name, value, ", ")

    def set_user(self, option: CurlOption, construct: Construct) -> None:
        del construct
        self._user = self._text(option.value)

    def set_bearer(self, option: CurlOption, construct: Construct) -> None:
        del construct
        self._keys["auth"] = {"bearer": self._text(option.value)}

    def set_cookie(self, option: CurlOption, construct: Construct) -> None:
        text = self._text(option.value)
        if "=" not in text:
            construct.left_out(
                "the jar of cookies is a file of curl's; users have jars of their own"
            )
        else:
            self._add_header("Cookie", text, "; ")

    def set_timeout(self, option: CurlOption, construct: Construct) -> None:
        if re.fullmatch(r"\d+(\.\d+)?", option.text) and float(option.text) > 0:
            self._keys["timeout"] = f"{option.text}s"
        else:
            construct.left_out("write it as `timeout: 30s`")

    def set_retry(self, option: CurlOption, construct: Construct) -> None:
        if option.text.isdecimal() and int(option.text) > 0:
            self._keys["retry"] = {"times": int(option.text), "wait": "1s"}
            construct.changed("planrunner waits 1 s each time; curl waits twice as long every time")

    def set_range(self, option: CurlOption, construct: Construct) -> None:
        del construct
        self._add_header("Range", f"bytes={self._text(option.value)}", ",")

    def set_host(self, option: CurlOption, construct: Construct) -> None:
        found = re.fullmatch(r"\+?([^:*]+):\d+:\[?([0-9A-Fa-f.:]+?)\]?", option.text)
        hosts = self._draft.http.setdefault("hosts", {})
        assert isinstance(hosts, dict)
        if found is None:
            construct.left_out("write `http.hosts: {name: address}`")
            if not hosts:
                del self._draft.http["hosts"]
        else:
            hosts[found[1]] = found[2]

    def set_proxy(self, option: CurlOption, construct: Construct) -> None:
        text = self._text(option.value)
        address = text if re.match(r"\w+://|\$\{", text) else f"http://{text}"
        if address.startswith(("http://", "https://", "${")):
            self._set_plan_key("proxy", address, construct)
        else:
            construct.left_out("a proxy speaks HTTP: write `http.proxy`")

    def set_ca(self, option: CurlOption, construct: Construct) -> None:
        path = self._files.copied(self._text(option.value))
        if path is None:
            construct.needs_you("write where its certificates are into `http.ca`")
        else:
            self._set_plan_key("ca", path, construct)


def _header(name: str) -> Callable[[CurlRequest, CurlOption, Construct], None]:
    def take(request: CurlRequest, option: CurlOption, _: Construct) -> None:
        request.set_named_header(name, option)

    return take


_OPTIONS: Final[dict[str, Callable[[CurlRequest, CurlOption, Construct], None]]] = {
    "request": CurlRequest.set_verb,
    "header": CurlRequest.set_header,
    "url": CurlRequest.add_url,
    "url-query": CurlRequest.add_query,
    "user": CurlRequest.set_user,
    "oauth2-bearer": CurlRequest.set_bearer,
    "cookie": CurlRequest.set_cookie,
    "max-time": CurlRequest.set_timeout,
    "retry": CurlRequest.set_retry,
    "range": CurlRequest.set_range,
    "resolve": CurlRequest.set_host,
    "upload-file": CurlRequest.upload,
    **dict.fromkeys(("form", "form-string"), CurlRequest.add_part),
    **dict.fromkeys(
        ("data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json"),
        CurlRequest.add_data,
    ),
    "user-agent": _header("User-Agent"),
    "referer": _header("Referer"),
    "proxy": CurlRequest.set_proxy,
    "cacert": CurlRequest.set_ca,
}
_PLAN_FLAGS: Final = (
    ("insecure", "verify", False),
    ("http2", "version", 2),
    ("http2-prior-knowledge", "version", 2),
)
_FLAGS: Final = frozenset(
    {"digest", "get", "globoff", "head", "location", "location-trusted", "path-as-is"}
    | {flag for flag, _, _ in _PLAN_FLAGS}
)
