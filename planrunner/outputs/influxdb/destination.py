"""Where points go: the addresses of InfluxDB 1.x and 2.x, made of what a plan says."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from planrunner.values import dataclass

__all__ = ["Destination", "database_in", "destination_of"]


@dataclass(frozen=True, slots=True)
class Destination:
    """A database or a bucket.

    Attributes:
        url: Of the server; a user and a password stay in it.
        write_path: Behind the URL.
        params: Of a write.
        headers: Of every request.
        database: What may have to be created; empty for a bucket.
    """

    url: str
    write_path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    database: str


def database_in(url: str) -> str:
    """Return the database that a URL names, as k6 has it: `http://localhost:8086/k6`."""
    return unquote(_parts(url).path.strip("/"))


def _parts(url: str) -> SplitResult:
    """Return the parts of a URL; of one that is none, whoever sends there will say so."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", url, "", "", "")


def destination_of(
    url: str, *, database: str = "", org: str = "", bucket: str = "", token: str = ""
) -> Destination:
    """Return where to write; a path is the database, or that of a proxy if one is named."""
    parts = _parts(url)
    headers = {"Authorization": f"Token {token}"} if token else {}
    path = parts.path.rstrip("/")
    if bucket:
        url = parts._replace(path=path, query="", fragment="").geturl()
        params = {"org": org, "bucket": bucket, "precision": "ns"}
        return Destination(url, "/api/v2/write", params, headers, "")
    name = database or database_in(url)
    url = parts._replace(path=path if database else "", query="", fragment="").geturl()
    params = {"db": name, "precision": "ns"}
    return Destination(url, "/write", params, headers, name)
