"""Which names say that a value is a secret."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_secret_name"]

_LAST_WORDS: Final = frozenset(
    {
        *("password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "jwt"),
        *("credential", "credentials", "authorization", "bearer"),
    }
)
_KEYS: Final = frozenset({"api", "access", "private", "secret", "subscription", "auth", "license"})


def is_secret_name(name: str) -> bool:
    """Say whether what has this name is nobody's business: `x-api-key`, `userPassword`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()
    parts = re.findall(r"[a-z]+", words) or [""]
    last = parts[-1]
    return last in _LAST_WORDS or (last == "key" and len(parts) > 1 and parts[-2] in _KEYS)
