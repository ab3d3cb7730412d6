"""`python -m planrunner`."""

from __future__ import annotations

from planrunner.cli.main import main

main()
