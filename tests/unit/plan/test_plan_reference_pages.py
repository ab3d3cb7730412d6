"""The reference pages of the two sub-languages: fresh, complete, and open to new records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from planrunner.cli.group import cli
from planrunner.language.expressions.builtins.names import FILTER_NAMES, RESERVED, ROOT_HELPERS
from planrunner.metrics.aggregations.computation import OfValues
from planrunner.metrics.aggregations.record import Aggregation
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.thresholds import parse_threshold
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.schema.expression_docs import expression_page
from planrunner.plan.schema.json_schema import plan_schema
from planrunner.plan.schema.threshold_docs import threshold_page
from planrunner.plan.yaml.document import parse
from planrunner.protocols.registry import measures

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


@pytest.mark.parametrize("which", ["thresholds", "expressions"])
def test_the_page_is_what_the_command_prints(which: str) -> None:
    """`make schema` writes it; `--help` names the command."""
    printed = CliRunner().invoke(cli, ["schema", which]).output

    assert (REFERENCE / f"{which}.md").read_text("utf-8") == printed
    assert which in CliRunner().invoke(cli, ["schema", "--help"]).output


@pytest.mark.parametrize("word", AGGREGATIONS)
def test_an_aggregation_has_its_section(word: str) -> None:
    """With its meaning and its examples, and a row that leads there."""
    record = AGGREGATIONS[word]
    page = threshold_page()
    section = page.split(f"\n### {word}\n")[1].split("\n##")[0]

    assert f"](#{word})" in page
    assert record.meaning[1:] in section
    assert all(example in section for example in record.examples)


def test_sentences_on_the_page_are_thresholds() -> None:
    """Every example of a table, and those of the mapping below `thresholds:`."""
    page = threshold_page()
    cells = re.findall(r"\| `([^`]+)` \|$", page, re.MULTILINE)
    block = re.search(r"```yaml\n(thresholds:.*?)```", page, re.DOTALL)
    sentences = [cell for cell in cells if re.search(r" (<|>|==|!=|<=|>=) ", cell)]
    assert block is not None

    for sentence in sentences:
        parse_threshold(sentence.replace("${limit}", "1s"), measures())
    schema = plan_schema()["definitions"]["Threshold"]
    plan = "name: a\\nusers: {V: {steps: [{get: /}]}}\\nstages: [{duration: 1s, users: 1}]\\n"
    PlanModel.model_validate(parse(plan.replace("\\n", "\n") + block[1], "plan.yaml").data)

    assert len(sentences) > 30
    assert set(re.findall(r"^    (\w+):", block[1], re.MULTILINE)) | {"metric"} == set(
        schema["anyOf"][0]["properties"]
    ) - {"warn", "fail"}


def test_every_name_of_expressions_is_on_the_page() -> None:
    """Names, helpers, filters: what hints suggest can be looked up."""
    page = expression_page()

    for name in (*RESERVED, *ROOT_HELPERS, *FILTER_NAMES):
        assert re.search(rf"^\| `{name}\b", page, re.MULTILINE), name


def _middle(values: Any, _: float) -> float:
    return (values.min + values.max) / 2


def test_a_new_aggregation_is_on_the_page_and_in_the_schema(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its record is all that they need."""
    record = Aggregation(
        "midrange",
        meaning="half way between the smallest and the greatest value",
        computation=OfValues(_middle),
        phrase="the midrange of {of}",
        examples=("midrange < 50ms",),
    )
    monkeypatch.setitem(cast("dict[str, Any]", AGGREGATIONS), "midrange", record)

    long, short = plan_schema()["definitions"]["Threshold"]["anyOf"]

    assert "### midrange\n\nHalf way between" in threshold_page()
    assert "midrange" in long["properties"]["metric"]["anyOf"][0]["enum"]
    assert "midrange < 50ms" in [snippet["body"] for snippet in short["defaultSnippets"]]
