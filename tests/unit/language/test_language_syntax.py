from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.expressions import tree
from planrunner.language.expressions.common_syntax import parse_common
from planrunner.language.expressions.syntax import parse_tree
from planrunner.language.expressions.values import ExpressionError


def _shape(node: object) -> object:
    if isinstance(node, list):
        return [_shape(item) for item in node]
    if isinstance(node, tree.Node):
        parts = [_shape(getattr(node, name)) for name in node.fields]
        return (type(node).__name__, node.offset, *parts)
    return (type(node).__name__, node)


_WORD = st.sampled_from(
    ["a", "item1", "rand", "now", "_x", "True", "true", "not", "is", "None", "nothing", "random"]
)
_SPACE = st.sampled_from(["", "", " ", "  "])
_VALUE = st.sampled_from(["0", "7", "123456789", "'text'", "''", "010", "1_0", "'a\\n'", "x", "-1"])


@st.composite
def _expressions(draw: st.DrawFn) -> str:
    text = draw(_SPACE) + ".".join(draw(st.lists(_WORD, min_size=1, max_size=4)))
    if draw(st.booleans()):
        values = [
            draw(_SPACE) + draw(_VALUE) + draw(_SPACE) for _ in range(draw(st.integers(0, 3)))
        ]
        text += "(" + ",".join(values) + ")"
    if draw(st.booleans()):
        text += draw(_SPACE) + "|" + draw(_SPACE) + draw(_WORD)
    return text + draw(_SPACE)


@given(_expressions())
def test_common_forms_give_the_tree_that_the_full_parser_gives(source: str) -> None:
    """The short way never accepts what is wrong, and never means something else."""
    short = parse_common(source)

    if short is not None:
        assert _shape(short) == _shape(parse_tree(source))


@pytest.mark.parametrize(
    "source",
    ["a", " a.b.c ", "now()", "rand.int(1, 500)", "rand.text( 6 )", "a.b | random", "x.f('y')|d"],
)
def test_common_forms_are_read_the_short_way(source: str) -> None:
    """The forms that the module promises are among those it reads."""
    assert parse_common(source) is not None


@pytest.mark.parametrize(
    "source",
    ["", "1", "a b", "a[0]", "a.b.c + 1", "not a", "true", "a | map('b')", "a(", "a." * 600 + "a"],
)
def test_other_forms_are_left_to_the_full_parser(source: str) -> None:
    """What isn't one of the common forms is none of the short way's business."""
    assert parse_common(source) is None


def test_a_chain_of_any_length_is_converted() -> None:
    """Nesting is judged after parsing; the conversion itself has no limit."""
    source = "a" + "+a" * 3_000

    assert isinstance(parse_tree(source), tree.Add)


def test_what_no_plan_can_have_is_refused() -> None:
    """A construct of templates is an error of the expression, at its place."""
    with pytest.raises(ExpressionError):
        parse_tree("{% if a %}")


def test_common_expressions_are_read_and_lowered_without_jinja2() -> None:
    """Importing Jinja2 takes two bare starts; only expressions that need it pay."""
    code = (
        "import sys\n"
        "from planrunner.language.expressions.expression import parse\n"
        "parse('a.b').lower(); parse('rand.int(1, 5)').lower(); parse('a | random').lower()\n"
        "assert 'jinja2' not in sys.modules\n"
        "parse('a + 1').lower()\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
