"""Faults in the words of Python: what they say of options is said of keywords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from planrunner.compiler.review import review
from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.plan.yaml.edits import COMMAND_LINE
from planrunner.python.keywords import CallKeywords, PlanKeywords

__all__ = ["named_as_arguments", "with_keywords"]

_OPTION: Final = re.compile(r"--([a-z][a-z-]*)")
_SAID: Final = re.compile(
    r"`--(?P<quoted>[a-z][a-z-]*)(?:[ =](?P<value>[^`]*))?`"
    r"|(?<![\w-])--(?P<bare>[a-z][a-z-]*)(?: (?P<number>\d+))?|`[^`]*`"
)
"""An option in a sentence, maybe with a value; whatever else is quoted, such as a command."""

_OTHER_NAMES: Final = {"set": "params", "run-time": "hold", "output": "outputs"}
_BY_NAME: Final = frozenset({"params", "override"})
_KEYWORDS: Final = frozenset({*PlanKeywords.__annotations__, *CallKeywords.__annotations__})


@contextmanager
def named_as_arguments() -> Iterator[None]:
    """Let faults name keywords of the call where they would name options of the command."""
    try:
        yield
    except PlanError as error:
        raise PlanError([_as_argument(fault) for fault in review(error)]) from None
    except PlanrunnerError as error:
        error.message, error.hint = with_keywords(error.message), with_keywords(error.hint)
        error.args = (error.message, *error.args[1:])
        raise


def with_keywords(text: str) -> str:
    """Return a sentence with keywords in place of options: `--workers 2` is `workers=2` then."""
    return _SAID.sub(_keyword_said, text)


def _keyword_said(found: re.Match[str]) -> str:
    option = found["quoted"] or found["bare"]
    if option is None or _keyword(option) not in _KEYWORDS:
        return found[0]
    keyword, value = _keyword(option), found["value"] or found["number"]
    if not value:
        return f"`{keyword}`"
    if keyword not in _BY_NAME:
        return f"`{keyword}={_literal(value)}`"
    name, equals, value = value.partition("=")
    return f'`{keyword}={{"{name}": {_literal(value)}}}`' if equals else f'`{keyword}["{name}"]`'


def _literal(value: str) -> str:
    """Return a value as Python has it; one that stands for any is left as it is."""
    is_bare = value.isdecimal() or value.isupper() or value in ("…", "") or value.startswith('"')
    return value if is_bare else f'"{value}"'


def _as_argument(fault: Diagnostic) -> Diagnostic:
    fault = replace(fault, message=with_keywords(fault.message), hint=with_keywords(fault.hint))
    option = _OPTION.match(fault.source)
    if fault.span.file != COMMAND_LINE or option is None:
        return fault
    return replace(fault, argument=_keyword(option[1]))


def _keyword(option: str) -> str:
    return _OTHER_NAMES.get(option, option.replace("-", "_"))
