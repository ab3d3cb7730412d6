"""What a request is called that a tool knows only by its URL: as plans call it."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["RequestNames"]


class RequestNames:
    """Names URLs: `GET /items?page=1`, and with the host where that isn't the first one's."""

    def __init__(self) -> None:
        self._first = ""
        self._names: dict[tuple[str, str], str] = {}

    def of(self, method: str, url: str) -> str:
        """Return the name of a request."""
        name = self._names.get((method, url))
        if name is None:
            name = f"{method} {self._short(url)}".strip()
            if len(self._names) < 10_000:  # URLs may all differ
                self._names[method, url] = name
        return name

    def _short(self, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        if not parts.scheme or not parts.netloc:
            return url
        origin = f"{parts.scheme}://{parts.netloc}"
        self._first = self._first or origin
        path = parts.path or "/"
        short = f"{path}?{parts.query}" if parts.query else path
        return short if origin == self._first else f"{origin}{short}"
