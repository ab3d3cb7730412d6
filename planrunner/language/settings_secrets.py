"""What is secret in settings of the user's own: what names give away, and passwords in URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from planrunner.language.growing_masker import texts_in
from planrunner.language.named_secrets import is_secret_name

__all__ = ["secrets_in"]


def secrets_in(settings: object) -> Iterator[str]:
    """Yield the secrets that stand in settings; what expressions give is not among them.

    Args:
        settings: Whatever a plan may write: mappings and lists of scalars.
    """
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if isinstance(key, str) and is_secret_name(key):
                yield from filter(_is_written, texts_in(value))
            else:
                yield from secrets_in(value)
    elif isinstance(settings, list | tuple):
        for item in settings:
            yield from secrets_in(item)
    elif isinstance(settings, str):
        yield from filter(_is_written, _passwords(settings))


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
