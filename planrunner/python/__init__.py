"""Planrunner for Python programs, tests and notebooks; `planrunner` itself exports its names."""

from __future__ import annotations

import logging

# Without it, Python would print warnings of a library whose caller has not asked for logs.
logging.getLogger("planrunner").addHandler(logging.NullHandler())
