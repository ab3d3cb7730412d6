"""The software that all processes of a cluster need in the same version."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from planrunner import __version__
from planrunner.errors import CannotRun
from planrunner.values import dataclass

__all__ = ["Software", "own_software", "software_fault"]


@dataclass(frozen=True, slots=True)
class Software:
    """The versions that a process has; empty for what it lacks."""

    python: str
    planrunner: str
    distributed: str


def own_software() -> Software:
    """Return those of this process."""
    try:
        distributed = version("distributed")
    except PackageNotFoundError:
        distributed = ""
    return Software(platform.python_version(), __version__, distributed)


def software_fault(where: str, there: Software) -> CannotRun | None:
    """Return what keeps a process from working with this one; None if nothing does.

    Args:
        where: Names the process, as the subject of a sentence.
        there: What it has.
    """
    own = own_software()
    for what, has, needed in (
        ("Python", _minor(there.python), _minor(own.python)),
        ("distributed", there.distributed, own.distributed),
        ("planrunner", there.planrunner, own.planrunner),
    ):
        if has != needed:
            words = f"has {what} {has}, and this is {needed}" if has else f"has no {what}"
            hint = f"the scheduler and all Dask workers need {what} {needed}, as this process has"
            return CannotRun(f"{where} {words}", hint=hint)
    return None


def _minor(full: str) -> str:
    return ".".join(full.split(".")[:2])
