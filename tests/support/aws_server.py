"""A server that checks AWS signatures, written from AWS's manual and sharing nothing with us."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

from tests.support.http_servers import Request, Wire, reply

__all__ = ["AwsServer"]

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


@dataclass(slots=True)
class AwsServer:
    """Answers 200 to what is signed with its key, else 403.

    Attributes:
        moved: Targets that redirect, and where to.
        verdicts: `ok`, or what is wrong, for each request.
        payloads: What each request said of its body.
    """

    secret: str
    region: str = "eu-west-1"
    service: str = "s3"
    moved: dict[str, str] = field(default_factory=dict)
    verdicts: list[str] = field(default_factory=list)
    payloads: list[str] = field(default_factory=list)

    async def respond(self, request: Request, wire: Wire) -> None:
        verdict = self._judge(request)
        self.verdicts.append(verdict)
        self.payloads.append(request.headers.get("x-amz-content-sha256", ""))
        if request.target in self.moved:
            location = ("Location", self.moved[request.target])
            await wire.send(reply(307, b"", location, ("Set-Cookie", "a=1")))
        else:
            await wire.send(reply(200 if verdict == "ok" else 403, verdict.encode()))

    def _judge(self, request: Request) -> str:
        headers = request.headers
        if "authorization" not in headers:
            return "unsigned"
        found = _AUTHORIZATION.fullmatch(headers["authorization"])
        if found is None:
            return f"unreadable: {headers['authorization']}"
        _, day, region, service, names, signature = found.groups()
        moment = headers["x-amz-date"]
        must = {"host", *(name for name in headers if name.startswith("x-amz-"))}
        if not must <= set(names.split(";")):
            return f"not signed: {sorted(must - set(names.split(';')))}"
        if (region, service, day) != (self.region, self.service, moment[:8]):
            return f"scope: {region}/{service}/{day}"
        payload = headers["x-amz-content-sha256"]
        if payload not in ("UNSIGNED-PAYLOAD", sha256(request.body).hexdigest()):
            return "payload"
        path, _, query = request.target.partition("?")
        path = quote(unquote(path) if service == "s3" else path, safe="/-_.~")
        pairs = sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
            for name, value in parse_qsl(query, keep_blank_values=True)
        )
        canonical = [request.method, path, "&".join(f"{name}={value}" for name, value in pairs)]
        canonical += [f"{name}:{headers[name].strip()}" for name in names.split(";")]
        canonical += ["", names, payload]
        hashed = sha256("\n".join(canonical).encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{moment}\n{day}/{region}/{service}/aws4_request\n{hashed}"
        key = b"AWS4" + self.secret.encode()
        for part in (day, region, service, "aws4_request"):
            key = hmac.new(key, part.encode(), sha256).digest()
        expected = hmac.new(key, text.encode(), sha256).hexdigest()
        return "ok" if hmac.compare_digest(expected, signature) else "signature"
