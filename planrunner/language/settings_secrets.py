"""What is secret in settings of the user's own: by its name, in headers, and passwords in URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from planrunner.language.growing_masker import texts_in
from planrunner.language.named_secrets import is_secret_name

__all__ = ["secrets_in"]

_HEADERS: Final = "headers"
"""Who sends headers of their own mostly names themselves with them."""


def secrets_in(settings: object) -> Iterator[str]:
    """Yield the secrets that stand in settings; what expressions give is not among them.

    Args:
        settings: Whatever a plan may write: mappings and lists of scalars.
    """
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if isinstance(key, str) and (is_secret_name(key) or key == _HEADERS):
                yield from filter(_is_written, _credentials(value))
            else:
                yield from secrets_in(value)
    elif isinstance(settings, list | tuple):
        for item in settings:
            yield from secrets_in(item)
    elif isinstance(settings, str):
        yield from filter(_is_written, _passwords(settings))


def _credentials(value: object) -> Iterator[str]:
    """Yield texts of a value, and what follows a scheme in them, as in `Bearer TOKEN`."""
    for text in texts_in(value):
        yield text
        rest = text.partition(" ")[2].strip()
        if rest:
            yield rest


def _passwords(text: str) -> Iterator[str]:
    """Yield the password of a URL such as `http://user:password@host/`, as written and as meant."""
    _, scheme, rest = text.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    password = user.partition(":")[2]
    if scheme and at and password:
        yield password
        if unquote(password) != password:
            yield unquote(password)


def _is_written(text: str) -> bool:
    return bool(text) and "${" not in text
