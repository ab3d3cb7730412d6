"""Serves the page of metrics from threads of its own, so that load and scrapes don't wait.

Prometheus scrapes every few seconds, and what changes between two scrapes changes once a second: a
page that was written since then is sent again.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Final
from urllib.parse import urlsplit

from prometheus_client.exposition import choose_encoder

from planrunner.outputs.prometheus.families import Family
from planrunner.outputs.prometheus.writer import PageWriter

__all__ = ["MetricsServer"]

_POLL_S: Final = 0.05
"""How long closing may have to wait for the thread that accepts connections."""

_PATH: Final = "/metrics"
_TEXT: Final = "text/plain; charset=utf-8"

_logger = logging.getLogger("planrunner.outputs")


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
        self._pages: dict[str, tuple[int, bytes]] = {}
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

    def page(self, accept: str) -> tuple[str, int, bytes]:
        """Return the type of the page that fits best, its edition, and its text."""
        encoder, content_type = choose_encoder(accept)
        with self._writing:
            edition, families = self._look()
            if self._pages.get(content_type, (None,))[0] != edition:
                writer = self._writers.get(content_type)
                if writer is None:
                    writer = self._writers[content_type] = PageWriter(self._prefix, encoder)
                self._pages[content_type] = edition, writer.page(families)
            return content_type, *self._pages[content_type]

    def note_served(self, edition: int) -> None:
        """Say that a page was sent."""
        self._served(edition)


class _ScrapeListener(ThreadingTCPServer):
    allow_reuse_address = os.name != "nt"  # where it would share a port that is in use
    daemon_threads = True

    def __init__(self, family: int, address: object, pages: MetricsServer) -> None:
        self.address_family = family
        self.pages = pages
        super().__init__(address, _Scrape)  # type: ignore[arg-type]  # as getaddrinfo gives it

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what went wrong with one scrape; that a client has gone is usual."""
        del request
        error = sys.exc_info()[1]
        level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR
        _logger.log(level, "scrape failed client=%s", client_address, exc_info=error)


class _Scrape(BaseHTTPRequestHandler):
    server: _ScrapeListener
    timeout = 10  # seconds for a client that sends or takes nothing

    def do_GET(self) -> None:
        if urlsplit(self.path).path != _PATH:
            self._send(404, _TEXT, f"metrics are at {_PATH}\n".encode())
            return
        content_type, edition, text = self.server.pages.page(self.headers.get("Accept", ""))
        self._send(200, content_type, text)
        self.server.pages.note_served(edition)

    def _send(self, status: int, content_type: str, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def version_string(self) -> str:
        return "planrunner"

    def log_message(self, *_: object) -> None:
        """Print nothing: stderr is the run's."""
