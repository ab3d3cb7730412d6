"""Bad plans and exactly what is said about them.

`diagnostics/NAME.yaml` is a plan with one kind of mistake, `diagnostics/NAME.txt` the text that
`planrunner validate` prints for it. After a deliberate change: `pytest --update-golden`, then read
the diff as a plan author would.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.compiler.review import review
from planrunner.language.diagnostics import Code, PlanError, render
from planrunner.plan.loader import load

HERE = Path(__file__).parent / "diagnostics"
PLANS = sorted(HERE.glob("*.yaml"))


def findings_of(path: Path) -> tuple[str, float]:
    """Return what is said about the plan, and the CPU seconds that it took."""
    start = time.process_time()
    try:
        compile_plan(load(path, environ={}))
    except PlanError as error:
        text = "\n\n".join(render(fault) for fault in review(error))
    else:
        text = "valid"
    return text.replace(f"{HERE}/", "") + "\n", time.process_time() - start


@pytest.mark.parametrize("plan", PLANS, ids=lambda path: path.stem)
def test_a_bad_plan_is_explained_word_for_word(plan: Path, *, update_golden: bool) -> None:
    """Place, message, source line, caret and hint are part of the product."""
    expected = plan.with_suffix(".txt")

    text, seconds = findings_of(plan)

    if update_golden:
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert seconds < 1


def test_every_expectation_has_its_plan() -> None:
    """A renamed plan must not leave its text behind."""
    texts = {path.stem for path in HERE.glob("*.txt")}

    assert texts == {path.stem for path in PLANS}


def test_the_first_finding_is_what_the_plan_is_named_after() -> None:
    """So that a slug's example is found by its name: `invalid-unit.rate.yaml`."""
    codes = {code.value for code in Code}

    for plan in PLANS:
        slug = plan.stem.split(".")[0]
        assert slug in codes
        assert f"error[{slug}]" in plan.with_suffix(".txt").read_text(encoding="utf-8")
