"""The exception tree; what each means for the process is decided in `cli.group`.

```
PlanrunnerError
├── PlanError        (language.diagnostics)  the plan has faults                        exit 2
├── UsageError       the command line asks for something that cannot be                  exit 2
├── PackageMissing   an extra that the plan needs is not installed; a fault at its place  exit 2
├── CannotRun        the run could not start or go on: target, service, report directory exit 3
├── Interrupted      the caller stopped it before its load                              exit 130
└── Misuse           planrunner's own code broke a contract: a bug                       exit 70
```

An unforeseen error in a command with a plan becomes a `Bug`, exit 70 too.

A failed request, expectation or threshold is data, never an exception.
"""

from __future__ import annotations

__all__ = [
    "Bug",
    "CannotRun",
    "Interrupted",
    "Misuse",
    "PackageMissing",
    "PlanrunnerError",
    "UsageError",
]


class PlanrunnerError(Exception):
    """Base of everything planrunner raises on purpose.

    Args:
        message: One sentence, lower case, no full stop; names the offending value in backticks.
        hint: What to do about it, imperative; empty when there is nothing to say.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class _Told(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """What a Python program may not expect: its traceback shows the hint too."""

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(_Told):
    """The command line or an API call asks for something that cannot be."""


class PackageMissing(_Told):
    """What the plan asks for needs a package that is not installed."""


class CannotRun(_Told):
    """The run could not start, or could not go on."""


class Interrupted(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The caller stopped the run before its load began."""


class Misuse(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """Code broke a contract of planrunner's own; always a bug, never the user's fault."""


class Bug(Exception):  # noqa: N818 - reads as the sentence it stands for
    """An unforeseen error; its text is the traceback, without the plan's secrets."""
