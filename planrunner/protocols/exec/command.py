"""Commands as users run them: their words rendered, and how they ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Final

from planrunner.language.expressions.values import EvaluationError, to_text
from planrunner.protocols.base import FailureKind, Scope
from planrunner.protocols.command_words import Word
from planrunner.protocols.exec.operation import ExecOperation
from planrunner.protocols.rules import shorten
from planrunner.values import dataclass

__all__ = ["CommandEnd", "CommandFailedError", "command_line", "said"]

_MOST_WORDS: Final = 200


class CommandFailedError(Exception):
    """The command didn't come to an end by itself; says so in words.

    Attributes:
        kind: `timeout` where it took too long, else `error`.
    """

    def __init__(self, words: str, kind: FailureKind = FailureKind.ERROR) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended.

    Attributes:
        code: Its exit code; below 0 the number of the signal that ended it.
        output: What it printed, and `complaints` to the standard error, of which the end is kept.
        began_ns: Just before it was started, and `ended_ns` when the system said that it ended.
    """

    code: int
    output: bytes
    complaints: bytes
    began_ns: int
    ended_ns: int

    @property
    def status(self) -> int:
        """Its exit code; as shells have it, 128 and the number of the signal that ended it."""
        return self.code if self.code >= 0 else 128 - self.code

    @property
    def words(self) -> str:
        """Why its status is a failure."""
        last = self.complaints.decode(errors="replace").strip().rpartition("\n")[2]
        return f"{self._end}{f': {shorten(last, _MOST_WORDS)}' if last else ''}"

    @property
    def _end(self) -> str:
        if self.code >= 0:
            return f"exited with status {self.code}"
        try:
            name = signal.Signals(-self.code).name
        except ValueError:  # those for real time have numbers only
            name = f"signal {-self.code}"
        return f"was killed by {name} (status {self.status})"


def command_line(
    operation: ExecOperation, scope: Scope
) -> tuple[list[str], Mapping[str, str] | None]:
    """Return program and arguments for a user, and the environment if it isn't that of here.

    Raises:
        EvaluationError: An expression in it has no value, or one that no command can be given.
    """
    arguments = [_argument(word, scope) for word in operation.words]
    if not operation.environment:
        return arguments, None
    own = {key: _checked(to_text(value(scope))) for key, value in operation.environment}
    return arguments, {**os.environ, **own}


def _argument(word: Word, scope: Scope) -> str:
    pieces = (part if isinstance(part, str) else to_text(part(scope)) for part in word)
    return _checked("".join(pieces))


def _checked(text: str) -> str:
    if "\0" in text:
        raise EvaluationError("an argument of a command contains a null byte")
    try:
        os.fsencode(text)
    except UnicodeError as error:
        raise EvaluationError("an argument of a command contains half a character") from error
    return text


def said(output: bytes) -> str:
    """Return what a command printed, without its last newline."""
    return output.decode(errors="replace").removesuffix("\n").removesuffix("\r")
