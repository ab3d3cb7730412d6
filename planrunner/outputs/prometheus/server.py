"""Serves the page of metrics from threads of its own, so that load and scrapes don't wait.

Prometheus scrapes every few seconds, and what changes between two scrapes changes once a second: a
page that was written since then is sent again, to whoever asks.
"""

from __future__ import annotations

import gzip
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final
from urllib.parse import urlsplit

from prometheus_client.exposition import choose_encoder, gzip_accepted

from planrunner.outputs.prometheus.families import Family
from planrunner.outputs.prometheus.writer import PageWriter
from planrunner.values import dataclass

__all__ = ["MetricsServer"]

_POLL_S: Final = 0.05
"""How long closing may have to wait for the thread that accepts connections."""

_AT_ONCE: Final = 4
"""Scrapes that are answered at a time, so that many don't take the processor from the load."""

_WAITING: Final = 128
"""Connections that the system keeps until they are accepted."""

_PATH: Final = "/metrics"
_TEXT: Final = "text/plain; charset=utf-8"
_OPEN_METRICS: Final = "application/openmetrics-text"
_FORMATS: Final = (f"{_OPEN_METRICS};version=1.0.0", "")
"""As scrapers ask for them; Prometheus asks for the first."""

_logger = logging.getLogger("planrunner.outputs")


@dataclass(frozen=True, slots=True)
class _WrittenPage:
    """What was written last, as it is and smaller."""

    edition: int = -1
    text: bytes = b""
    gzipped: bytes = b""


class MetricsServer:
    """A page that is written when somebody asks for it.

    Args:
        prefix: What the name of each metric begins with.
        look: Returns what is on it now, and a number that changes when that does.
        served: Called from a thread, after the page was sent, with its edition.
    """

    def __init__(
        self,
        prefix: str,
        look: Callable[[], tuple[int, Iterable[Family]]],
        *,
        served: Callable[[int], None],
    ) -> None:
        self._prefix = prefix
        self._look = look
        self._served = served
        self._writing = threading.Lock()
        self._writers: dict[str, PageWriter] = {}
        self._pages: dict[str, _WrittenPage] = {}
        self._listener: _ScrapeListener | None = None

    def open(self, host: str, port: int) -> int:
        """Listen from now on, and return the port.

        Raises:
            OSError: The host is unknown, or the port is in use.
        """
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        self._listener = _ScrapeListener(family, address, self)
        threading.Thread(
            target=self._listener.serve_forever,
            kwargs={"poll_interval": _POLL_S},
            name="planrunner-metrics",
            daemon=True,
        ).start()
        return int(self._listener.server_address[1])

    def close(self) -> None:
        """Listen no more; calling it again does nothing."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()

    def prepare(self, families: Sequence[Family]) -> None:
        """Write what is new, so that a scrape needs not: in a format that somebody asked for."""
        with self._writing:
            for writer in [*self._writers.values()] or [self._writer(_FORMATS[0])[1]]:
                writer.learn(families)

    def page(self, accept: str) -> tuple[str, _WrittenPage]:
        """Return the type of the page that fits best, and the page."""
        with self._writing:
            content_type, writer = self._writer(_format_of(accept))
            edition, families = self._look()
            page = self._pages.get(content_type, _WrittenPage())
            if page.edition != edition:
                text = writer.page([*families])
                page = _WrittenPage(edition, text, gzip.compress(text, compresslevel=1))
                self._pages[content_type] = page
        return content_type, page

    def _writer(self, wanted: str) -> tuple[str, PageWriter]:
        encoder, content_type = choose_encoder(wanted)
        if content_type not in self._writers:
            self._writers[content_type] = PageWriter(self._prefix, encoder)
        return content_type, self._writers[content_type]

    def note_served(self, edition: int) -> None:
        """Say that a page was sent."""
        self._served(edition)


def _format_of(accept: str) -> str:
    """Return which of the two formats fits; versions of them don't differ for our names."""
    try:
        content_type = choose_encoder(accept)[1]
    except (TypeError, ValueError):  # a version that is no number
        content_type = ""
    return _FORMATS[0 if content_type.startswith(_OPEN_METRICS) else 1]


class _ScrapeListener(ThreadingTCPServer):
    allow_reuse_address = os.name != "nt"  # where it would share a port that is in use
    daemon_threads = True
    request_queue_size = _WAITING

    def __init__(self, family: int, address: object, pages: MetricsServer) -> None:
        self.address_family = family
        self.pages = pages
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, _Scrape)  # type: ignore[arg-type]  # as getaddrinfo gives it

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as declared there
        with self._turns:
            super().process_request_thread(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what went wrong with one scrape; that a client has gone is usual."""
        del request
        error = sys.exc_info()[1]
        level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR
        _logger.log(level, "scrape failed client=%s", client_address, exc_info=error)


class _Scrape(BaseHTTPRequestHandler):
    server: _ScrapeListener
    timeout = 5  # seconds for a client that sends or takes nothing

    def do_GET(self) -> None:
        if urlsplit(self.path).path != _PATH:
            self._send(404, _TEXT, f"metrics are at {_PATH}\n".encode())
            return
        content_type, page = self.server.pages.page(self.headers.get("Accept", ""))
        if gzip_accepted(self.headers.get("Accept-Encoding", "")):
            self._send(200, content_type, page.gzipped, encoding="gzip")
        else:
            self._send(200, content_type, page.text)
        self.server.pages.note_served(page.edition)

    def _send(self, status: int, content_type: str, text: bytes, *, encoding: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Vary", "Accept, Accept-Encoding")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def version_string(self) -> str:
        return "planrunner"

    def log_message(self, *_: object) -> None:
        """Print nothing: stderr is the run's."""
