"""pytest in a folder of its own, with this plugin and no other that happens to be installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

__all__ = ["RunsPytest"]

RunsPytest = Callable[..., pytest.RunResult]
"""Runs it with arguments, in this process."""
