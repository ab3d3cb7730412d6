"""What browsers may do with what they get: headers of every response."""

from __future__ import annotations

from typing import Final

__all__ = ["FILE_POLICY", "HEADERS", "PAGE_POLICY"]

PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Text of targets and plans can't become markup: no script may write HTML.
        "require-trusted-types-for 'script'",
    )
)
"""Of the page: nothing but its own files, no inline code, no `eval`."""

FILE_POLICY: Final = "; ".join(
    (
        # An origin of its own: what is in a report can neither read the page nor ask the server.
        "sandbox allow-scripts allow-downloads",
        "default-src 'none'",
        # A report names the hashes of its scripts itself, and both policies hold; Vega compiles.
        "script-src 'unsafe-inline' 'unsafe-eval'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
"""Of files of a run, which may be anybody's."""

HEADERS: Final = {
    "content-security-policy": PAGE_POLICY,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Of everything that doesn't bring its own."""
