"""Hashes that a run needs as it starts, without the library of OpenSSL, which `hashlib` loads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

__all__ = ["blake2b", "sha256"]

# The interpreter's own, as `random` of the standard library takes them. Where it was built
# without them, `hashlib` has others that find the same.
if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b

        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import blake2b, sha256
