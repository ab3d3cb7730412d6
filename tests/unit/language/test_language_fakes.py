"""Made-up values: `fake.*`."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.builtins import fakes
from planrunner.language.expressions.expression import EvaluationError, ExpressionError, Rand, parse
from tests.support.missing import hidden


def drawn(source: str, seed: int = 7) -> object:
    return parse(source).lower().evaluate({"rand": Rand(Random(seed))})


@pytest.fixture
def without_faker() -> Iterator[None]:
    """A machine without the extra."""
    fakes._generator.cache_clear()
    fakes.fake_names.cache_clear()
    with hidden("faker"):
        yield


@pytest.fixture
def faker() -> None:
    """A machine with it."""
    fakes._generator.cache_clear()
    fakes.fake_names.cache_clear()


@pytest.mark.usefixtures("faker")
def test_values_come_from_the_users_stream() -> None:
    """The same seed gives the same values, whoever drew in between."""
    first = drawn("fake.name() ~ fake.email()")
    drawn("fake.name()", seed=8)

    assert drawn("fake.name() ~ fake.email()") == first
    assert drawn("fake.name() ~ fake.email()", seed=8) != first


@pytest.mark.usefixtures("faker")
def test_a_draw_is_a_name_that_only_a_run_has() -> None:
    """So it is never folded into a constant."""
    expression = parse("fake.name()")

    assert [reference.root for reference in expression.references] == ["fake"]
    assert not expression.lower().is_constant


@pytest.mark.usefixtures("faker")
def test_values_are_what_expressions_work_with() -> None:
    """Dates are texts, tuples are lists, and mappings hold nothing else."""
    assert isinstance(drawn("fake.date_of_birth()"), str)
    assert isinstance(drawn("fake.coordinate()"), float)
    assert isinstance(drawn("fake.words(nb=3)"), list)
    assert isinstance(drawn("fake.profile()['birthdate']"), str)


@pytest.mark.usefixtures("faker")
@pytest.mark.parametrize("source", ["fake.nmae()", "fake.seed()", "fake.__class__()"])
def test_what_faker_does_not_make_is_an_error(source: str) -> None:
    """With a suggestion; nothing of the generator itself can be reached."""
    with pytest.raises(ExpressionError) as refused:
        parse(source)

    assert refused.value.code is Code.UNKNOWN_NAME
    if source == "fake.nmae()":
        assert refused.value.hint == "did you mean `fake.name`?"


@pytest.mark.usefixtures("faker")
@pytest.mark.parametrize("source", ["fake.words(nb='x')", "fake.name(3)", "fake.binary(10 ** 7)"])
def test_wrong_and_huge_draws_have_no_value(source: str) -> None:
    """As with every other helper."""
    with pytest.raises(EvaluationError):
        drawn(source)


@pytest.mark.usefixtures("without_faker")
def test_without_the_package_the_expression_is_the_place_of_the_error() -> None:
    """It says what to install."""
    with pytest.raises(ExpressionError) as refused:
        parse("1 ~ fake.name()")

    error = refused.value
    assert (error.code, error.offset) == (Code.NOT_AVAILABLE, 4)
    assert (error.message, error.hint) == (
        "`fake` needs the package faker",
        "pip install 'planrunner[data]'",
    )
