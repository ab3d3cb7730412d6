"""Texts with expressions over whatever a reply may hold: a value, or one of two errors."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from planrunner.language.expressions.expression import (
    EvaluationError,
    ExpressionError,
    Rand,
    to_text,
)
from planrunner.language.fields.text import parse_text
from tests.support.fuzzing import bounded, fuzz
from tests.support.hostile import HOSTILE
from tests.support.mutations import mutated_text

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "docs" / "reference" / "expressions.md").read_text("utf-8")
PLANS = "".join(path.read_text("utf-8") for path in sorted((ROOT / "plans").glob("*.yaml")))
EXAMPLES = [cell.replace(r"\|", "|") for cell in re.findall(r" \| `([^`]+)` \| `", REFERENCE)]
TEXTS = sorted({*(f"${{{found}}}" for found in EXAMPLES), *re.findall(r"\S*\$\{[^\n]*\}", PLANS)})
NAMES = ("json", "body", "status", "a", "x")
# fmt: off
PIECES = [
    "${", "}", "$${", "{{", "(", ")", "[", "]", "{", ",", ":", ".", "|", "+", "-", "*", "/", "//",
    "%", "**", "~", "==", "<", ">", "!", "\\", "'", '"', "\n", "\0", "0", "1", "-1", "9999999",
    "1e308", "0.1", "none", "true", " and ", " or ", " not ", " in ", " is ", " if ", " else ",
    *NAMES, "json.items[0].id", "json[a]", "user.id", "iteration", "rand.int(a, x)", "range(a)",
    "now()", "__class__", " | map(attribute='a') | list", " | join(a)", " | default(x)", " | json",
    " | round(a)", " | replace(a, x)", " | batch(a)", " | sort(attribute=a)", " | truncate(a)",
    " | indent(a)", " | center(a)", " | format(a, x)", " | int(base=a)", " | b64decode", " | sum",
    " | regex_replace(a, x)", " | selectattr(a)", " | groupby(a)", " | urlencode", " | hash(a)",
    " is divisibleby(a)", " is matching(a)", "json * a", "[json] * 9999", "a[::a]", "x[a:x]",
    "\N{LATIN SMALL LETTER DOTLESS I}", "\u202e",
]
# fmt: on
SCOPES = st.fixed_dictionaries(
    dict.fromkeys(NAMES, HOSTILE | st.lists(HOSTILE, max_size=3))
    | {"headers": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)}
)


@fuzz(st.tuples(mutated_text(TEXTS, PIECES), SCOPES), examples=120)
def test_a_text_has_a_value_or_its_error(case: tuple[str, dict[str, Any]], folder: Path) -> None:
    """Nothing else is raised, nothing takes seconds, and an error lies in the text."""
    del folder
    text, values = case
    scope = {
        "rand": Rand(Random(1)),
        "now": lambda: 1.0,
        "iteration": 3,
        "user": {"id": 1, "class": "A", "iteration": 0},
        "phase": {"name": "p"},
        **values,
    }

    with bounded(2):
        try:
            lowered = parse_text(text).lower({"one": 1})
        except ExpressionError as error:
            assert 0 <= error.offset <= len(text)
            assert error.message
            return
        with suppress(EvaluationError):
            to_text(lowered.evaluate(scope))
