"""What a plan may write under `thresholds:`: sentences, pairs of them, and the long form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from planrunner.language.diagnostics import Code
from planrunner.language.fields import Duration
from planrunner.language.mapping import Fault, PlanMapping, error
from planrunner.metrics.threshold import ThresholdSyntaxError, parse_threshold
from planrunner.units import write_duration

__all__ = ["OnNoData", "Sentence", "ThresholdModel"]

OnNoData = Literal["fail", "pass", "skip"]


def _check_sentence(text: str) -> str:
    """Check the grammar only: what the selectors name is looked up when the plan is compiled."""
    if "${" in text:
        return text
    try:
        parse_threshold(text)
    except ThresholdSyntaxError as failed:
        raise error(
            Fault(Code.THRESHOLD_SYNTAX, failed.message, failed.hint), offset=failed.offset
        ) from None
    return text


Sentence = Annotated[
    str,
    AfterValidator(_check_sentence),
    Field(
        json_schema_extra={
            "pattern": r"(<|>|==|\$\{)",
            "patternErrorMessage": "write a condition such as `p95 < 500ms`",
            "title": "sentence",
        }
    ),
]

_LONG_KEYS: Final = frozenset({"metric", "select", "scope", "window", "op", "value", "abort"})


class ThresholdModel(PlanMapping):
    """A condition on a metric; `fail` ends in exit code 1, `warn` only says so."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "pattern": r"(<|>|==|\$\{)",
        "patternErrorMessage": "write a condition such as `p95 < 500ms`",
        "markdownDescription": "A condition that must hold: "
        "`[agg] [of selector] [in phase X] [over 30s] op value`.",
    }

    warn: Sentence | None = Field(
        None,
        description="The condition whose breach is a warning.",
        examples=["p95 < 2s"],
    )
    fail: Sentence | None = Field(
        None,
        description="The condition whose breach fails the run.",
        examples=["p95 < 5s"],
    )
    metric: str | None = Field(
        None,
        min_length=1,
        description="Long form: the aggregation that is judged.",
        examples=["p95"],
    )
    select: str | None = Field(
        None,
        min_length=1,
        description="Long form: which samples count; all when left out.",
        examples=['task:"get key"'],
    )
    scope: str | None = Field(
        None,
        min_length=1,
        description="Long form: the phase, profile or stage that is judged.",
        examples=["phase high"],
    )
    window: str | None = Field(
        None,
        min_length=1,
        description="Long form: the length of the windows, and how many in a row break it.",
        examples=["30s for 2 windows"],
    )
    op: Literal["<", "<=", ">", ">=", "==", "!="] | None = Field(
        None, description="Long form: how the metric is compared.", examples=['"<"']
    )
    value: str | int | float | None = Field(
        None, description="Long form: the limit, with its unit.", examples=["500ms"]
    )
    abort: bool | Duration | None = Field(
        None,
        description="Long form: end the run at once; a duration waits that long first.",
        examples=["1m"],
    )
    on_no_data: OnNoData | None = Field(
        None,
        description="Long form: the verdict when there is no sample. Default fail.",
        examples=["skip"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"fail": data} if isinstance(data, str) else data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        sentence = next((key for key in ("warn", "fail") if key in data), None)
        if sentence is None:
            if data.keys() <= _LONG_KEYS | {"on_no_data"}:
                yield from _missing(data)
            return
        for key in data:
            if key in _LONG_KEYS or key == "on_no_data":
                yield Fault(
                    Code.CONFLICTING_KEYS,
                    f"`{key}` does not go with `{sentence}`",
                    "say it in the sentence, or use the long form: `metric`, `op`, `value` …",
                    key,
                )

    def sentences(self) -> Iterator[tuple[Literal["warn", "fail"], str, str]]:
        """Yield each condition: its level, the key that holds it, and its text.

        The long form gives the sentence that says the same; its key is empty.
        """
        if self.metric is not None:
            yield "fail", "", self._long_sentence()
        if self.warn is not None:
            yield "warn", "warn", self.warn
        if self.fail is not None:
            yield "fail", "fail", self.fail

    def _long_sentence(self) -> str:
        parts = [self.metric or ""]
        for word, clause in (("of", self.select), ("in", self.scope), ("over", self.window)):
            if clause is not None:
                parts.append(f"{word} {clause}")
        parts.append(f"{self.op} {self.value}")
        text = " ".join(parts)
        if self.abort is None or self.abort is False:
            return text
        return f"{text}, abort" + ("" if self.abort is True else f" after {_written(self.abort)}")


def _written(duration: object) -> str:
    return write_duration(duration) if isinstance(duration, int) else str(duration)


def _missing(data: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("metric", "op", "value"):
        if key not in data:
            yield Fault(
                Code.MISSING_KEY,
                f"a threshold needs `{key}`" if data else "a threshold is missing",
                "write a sentence such as `p95 < 500ms`, or all of `metric`, `op`, `value`",
            )
            return
