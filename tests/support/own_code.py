"""Which frames run code of the package, wherever the checkout lies."""

from __future__ import annotations

import os
from pathlib import Path
from types import FrameType

import planrunner

# The folder of the package itself: a checkout is called planrunner too, and has a .venv in it.
_PACKAGE = str(Path(planrunner.__file__).parent) + os.sep


def is_own(frame: FrameType) -> bool:
    """Whether the frame runs a function of the package."""
    return frame.f_code.co_filename.startswith(_PACKAGE)
