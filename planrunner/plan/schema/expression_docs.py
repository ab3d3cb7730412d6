"""The reference page of expressions, made from the tables that evaluate them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import (
    CALLED,
    FAKES,
    METHODS,
    PROVIDED,
)
from planrunner.language.expressions.builtins.names import FOREIGN_NAMES
from planrunner.language.expressions.builtins.tests_table import TESTS
from planrunner.language.expressions.described import Described
from planrunner.language.expressions.operators import BINARY, COMPARE, SYNTAX, BinaryOperator
from planrunner.plan.schema.markdown import code, table

__all__ = ["expression_page"]

_INTRODUCTION: Final = """\
# Reference: expressions

<!-- Generated from the code by `make schema`; a test compares. -->

The syntax is Jinja2's. Inside a text, an expression is written as `${…}`, and `$${` writes `${`. It
needs no braces where a key takes nothing else: `when`, `if`, `while`, `until`, `needs`, an
expectation.

- A duration is a number of seconds, a size of bytes, a rate of events per second, a percentage a
  fraction.
- In a text, numbers, `true`, `false` and `null` appear as in JSON, lists and mappings as compact
  JSON.
- A missing key or item is undefined. `default(…)`, `is defined` and `is undefined` accept that.
  Anywhere else the request or step fails as `extract`.
- `a.b` is the key `b` of the mapping `a`. Nothing else of a value can be reached, and only the
  helpers below can be called.
- No value grows beyond 1 MB, no whole number beyond 4,096 bits, no range beyond 100,000 numbers.
- An unknown name, helper, filter or test is an error of `planrunner validate`.
"""
_NAMES: Final = """\
## Names

Params, data sources, state, and what a step sets or extracts are names of the plan.
Beside them there are:
"""
_RANDOM: Final = """\
## Random values

Every virtual user draws from its own stream, which depends on the seed of the run: the same seed
gives the same values. The filter `random` and `fake` use it too.
"""
_FAKES: Final = """\
## Made-up values

`fake` needs the package faker: `pip install 'planrunner[data]'`. Values are American English on
every machine. Each standard provider of faker can be called; the usual ones are:
"""
_FOREIGN: Final = """\
## Coming from another tool

These names do not exist here; `planrunner validate` says what to write:
"""


def expression_page() -> str:
    """Return the page as Markdown; the same for the same version."""
    return "\n".join(_parts())


def _parts() -> Iterator[str]:
    yield _INTRODUCTION
    yield _NAMES
    yield _described("name", PROVIDED)
    yield "## Syntax\n"
    yield _described("form", SYNTAX)
    yield "## Operators\n"
    yield _operators((*BINARY.values(), *COMPARE.values()))
    yield "## Helpers\n"
    yield _described("helper", CALLED)
    yield _RANDOM
    yield _draws("helper", METHODS["rand"])
    yield _FAKES
    yield _draws("helper", FAKES)
    yield "## Filters\n"
    yield _described("filter", FILTERS)
    yield "## Tests\n"
    yield _described("test", TESTS)
    yield _FOREIGN
    yield table(("name", "hint"), _foreign())


def _foreign() -> Iterator[tuple[str, str]]:
    for hint in dict.fromkeys(FOREIGN_NAMES.values()):
        names = [code(name) for name, one in FOREIGN_NAMES.items() if one == hint]
        yield ", ".join(names), hint


def _described(what: str, records: Iterable[Described]) -> str:
    rows = (
        (code(one.form), one.meaning, code(one.example), code(one.result) or "drawn")
        for one in records
    )
    return table((what, "meaning", "example", "gives"), rows)


def _draws(what: str, records: Iterable[Described]) -> str:
    rows = ((code(one.form), one.meaning, code(one.example)) for one in records)
    return table((what, "gives", "example"), rows)


def _operators(operators: Iterable[BinaryOperator]) -> str:
    rows = (
        (code(one.symbol), one.meaning, code(one.example), code(one.result)) for one in operators
    )
    return table(("operator", "meaning", "example", "gives"), rows)
