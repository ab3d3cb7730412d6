"""What mypy says of a user's files, with its strictest settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["strictly_checked"]

ROOT: Final = Path(__file__).parents[2]
# All who ask have the same settings, so planrunner itself is looked through once.
_CACHE: Final = ROOT / ".mypy_cache" / "of users"


def strictly_checked(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Check files of a folder that has nothing of this checkout."""
    options = ("--strict", "--no-error-summary", "--cache-dir", str(_CACHE))
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, *names],
        cwd=folder,
        env={"MYPYPATH": "", "PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
