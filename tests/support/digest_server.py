"""A server that asks for HTTP Digest, written from RFC 7616 and sharing nothing with the client."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import new
from urllib.parse import unquote

from tests.support.http_servers import Request, Wire, reply

__all__ = ["DigestServer"]

_FIELD = re.compile(r'([\w*]+)=(?:"((?:\\.|[^"\\])*)"|([^,\s]+))')
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@dataclass(slots=True)
class DigestServer:
    """Lets in who answers; each nonce lives for `uses` requests, and its count must rise.

    Attributes:
        challenges: What it offers, each an algorithm; `Basic` is a challenge too.
        says_stale: It says so when only the nonce was refused.
        next_nonce: It hands the next nonce over before the last use of one.
        seen: What it found of each request: `bare`, `ok`, `stale`, or what was wrong.
    """

    users: dict[str, str]
    challenges: tuple[str, ...] = ("MD5",)
    qop: str = "auth"
    realm: str = "the realm"
    uses: int = 1_000
    userhash: bool = False
    charset: str = ""
    says_stale: bool = True
    next_nonce: bool = False
    opaque: str = 'op"aque\\'
    public: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)
    _nonces: dict[str, int] = field(default_factory=dict)

    async def respond(self, request: Request, wire: Wire) -> None:
        if request.target in self.public:
            await wire.send(reply(302, b"", ("Location", "/secret")))
            return
        verdict = self._judge(request)
        self.seen.append(verdict)
        headers = [] if verdict == "ok" else self._challenge(is_stale=verdict == "stale")
        if verdict == "ok" and self.next_nonce:
            headers = [("Authentication-Info", f'rspauth="x", nextnonce="{self._new_nonce()}"')]
        await wire.send(reply(200 if verdict == "ok" else 401, b"", *headers))

    def _new_nonce(self) -> str:
        nonce = f"n{len(self._nonces) + 1}+/="
        self._nonces[nonce] = 0
        return nonce

    def _challenge(self, *, is_stale: bool) -> list[tuple[str, str]]:
        nonce, found = self._new_nonce(), []
        for algorithm in self.challenges:
            if algorithm == "Basic":
                found.append('Basic realm="of, all"')
                continue
            fields = [
                f'realm="{self.realm}"',
                f'nonce="{nonce}"',
                f'opaque="{_escape(self.opaque)}"',
            ]
            fields += [f"algorithm={algorithm}"] if algorithm else []
            fields += [f'qop="{self.qop}"'] if self.qop else []
            fields += ["stale=true"] if is_stale and self.says_stale else []
            fields += ["userhash=true"] if self.userhash else []
            fields += [f"charset={self.charset}"] if self.charset else []
            found.append("Digest " + ", ".join(fields))
        # Two in one field, the rest in one each.
        lines = [", ".join(found[:2]), *found[2:]]
        return [("WWW-Authenticate", line) for line in lines]

    def _judge(self, request: Request) -> str:
        given = request.headers.get("authorization", "")
        scheme, _, rest = given.partition(" ")
        if scheme != "Digest":
            return f"not Digest but {scheme}" if given else "bare"
        got = {
            found[1]: re.sub(r"\\(.)", r"\1", found[2] or "") or found[3] or ""
            for found in _FIELD.finditer(rest)
        }
        self.answers.append(got)
        wrong = [
            name
            for name, right in (
                ("algorithm", got.get("algorithm", "") in self.challenges),
                ("uri", got["uri"] == request.target),
                ("opaque", got["opaque"] == self.opaque),
                ("nonce", got["nonce"] in self._nonces),
                ("qop", not self.qop or got["qop"] in self.qop.split(",")),
            )
            if not right
        ]
        if wrong:
            return wrong[0]
        return self._use(got) if got["response"] == self._expected(got, request) else "response"

    def _expected(self, got: dict[str, str], request: Request) -> str:
        """Compute what RFC 7616 §3.4.1 says."""
        algorithm = got.get("algorithm", "MD5")
        hash_name = _HASHES[algorithm.removesuffix("-sess")]

        def digest(*parts: str) -> str:
            return new(hash_name, ":".join(parts).encode()).hexdigest()

        name = self._name(got, digest)
        a1 = digest(name, self.realm, self.users.get(name, ""))
        if algorithm.endswith("-sess"):
            a1 = digest(a1, got["nonce"], got["cnonce"])
        a2 = [request.method, got["uri"]]
        if got.get("qop") == "auth-int":
            a2.append(new(hash_name, request.body).hexdigest())
        middle = [got["nc"], got["cnonce"], got["qop"]] if self.qop else []
        return digest(a1, got["nonce"], *middle, digest(*a2))

    def _name(self, got: dict[str, str], digest: Callable[..., str]) -> str:
        if self.userhash:
            hashes = {digest(name, self.realm): name for name in self.users}
            return hashes.get(got["username"], "?")
        if "username*" in got:
            return unquote(got["username*"].removeprefix("UTF-8''"))
        return got["username"].encode("latin-1").decode()

    def _use(self, got: dict[str, str]) -> str:
        nonce = got["nonce"]
        if self.qop and int(got["nc"], 16) != self._nonces[nonce] + 1:
            return f"nc {got['nc']}"
        self._nonces[nonce] += 1
        return "stale" if self._nonces[nonce] > self.uses else "ok"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
