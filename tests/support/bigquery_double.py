"""BigQuery's REST API as far as statements go, on loopback; it knows no SQL.

Not the real thing, which needs an account: it shows what the client sends, and answers in the form
that BigQuery's reference gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

__all__ = ["BigQueryDouble", "bigquery_double"]

_JOB = {"projectId": "p", "jobId": "j1", "location": "EU"}


class BigQueryDouble(ThreadingHTTPServer):
    """Answers every statement with the rows 7 and 8, those with a word of `refuses` with that.

    Attributes:
        asked: What statements were sent as.
    """

    daemon_threads = True
    refuses = {  # noqa: RUF012 - nobody changes it
        "forbidden": (403, "accessDenied", "Access Denied: Table p:ds.forbidden"),
        "typo": (400, "invalidQuery", "Syntax error: Unexpected keyword"),
    }

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, sent: dict[str, Any]) -> tuple[int, object]:
        if path == "/token":
            return 200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
        if "/jobs/" in path:
            return 200, self._job()
        self.asked.append(sent)
        for word, (code, reason, message) in self.refuses.items():
            if word in sent["query"]:
                errors = [{"reason": reason, "message": message, "domain": "global"}]
                return code, {"error": {"code": code, "message": message, "errors": errors}}
        if sent.get("dryRun"):
            seen = {"jobReference": {"projectId": "p", "location": "EU"}, "jobComplete": True}
            return 200, {**seen, "totalBytesProcessed": "1234", "cacheHit": False}
        fields = [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]
        rows = [{"f": [{"v": value}]} for value in ("7", "8")]
        return 200, {
            "jobReference": _JOB, "schema": {"fields": fields}, "rows": rows, "totalRows": "2",
            "jobComplete": True, "totalBytesProcessed": "1234", "cacheHit": False,
        }  # fmt: skip

    def _job(self) -> object:
        is_cached = self.asked[-1].get("useQueryCache", True)
        query = {"totalBytesProcessed": "1234", "totalSlotMs": "56", "cacheHit": is_cached}
        return {
            "id": "p:EU.j1", "jobReference": _JOB, "status": {"state": "DONE"},
            "configuration": {"query": {"query": "x"}}, "statistics": {"query": query},
        }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    server: BigQueryDouble
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        code, answer = self.server.answer(
            self.path.partition("?")[0], json.loads(body) if is_json and body else {}
        )
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST  # noqa: N815 - the name that Python looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def bigquery_double(credentials: Path) -> Iterator[BigQueryDouble]:
    """Run the server, and write the file of an account that it lets in."""
    with BigQueryDouble() as server:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        credentials.write_text(
            json.dumps(
                {"type": "service_account", "project_id": "p", "private_key_id": "k",
                 "private_key": pem, "client_email": "a@p.iam.gserviceaccount.com",
                 "token_uri": f"{server.url}/token"}
            )
        )  # fmt: skip
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
