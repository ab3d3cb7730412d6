"""What of an output's settings is never shown."""

from __future__ import annotations

import pytest

from planrunner.language.settings_secrets import secrets_in


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({"influxdb": {"token": "abcdef", "org": "shop"}}, {"abcdef"}),
        ([{"url": "http://me:p%40ss@db/x"}], {"p%40ss", "p@ss"}),
        ({"headers": {"authorization": "Bearer abcdef"}}, {"Bearer abcdef", "abcdef"}),
        ({"headers": {"x-honeycomb-team": "abcdef"}}, {"abcdef"}),
        ({"headers": {"authorization": "Bearer ${token}"}, "token": "${token}"}, set()),
    ],
)
def test_secrets_are_known_by_names_headers_and_urls(settings: object, secrets: set[str]) -> None:
    """What expressions give is known by its param."""
    assert set(secrets_in(settings)) == secrets
