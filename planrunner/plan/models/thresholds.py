"""What a plan may write under `thresholds:`: sentences, pairs of them, and the long form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import AfterValidator, Field
from planrunner.language.fields.mapping import Fault, PlanMapping, error
from planrunner.language.fields.reading import ReadBy
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.thresholds import Threshold, ThresholdSyntaxError, parse_threshold
from planrunner.metrics.thresholds.measure_parser import UnknownMeasure
from planrunner.protocols import registry
from planrunner.units import UnitError, parse_duration

__all__ = ["OnNoDataWord", "Sentence", "ThresholdModel", "read_threshold"]

OnNoDataWord = Literal["fail", "pass", "skip"]
OperatorSign = Literal["<", "<=", ">", ">=", "==", "!="]


def read_threshold(text: str) -> Threshold:
    """Parse a sentence that may name any measure of any protocol.

    Other installed packages are asked for a measure that no known protocol has.

    Raises:
        ThresholdSyntaxError: It isn't one.
    """
    try:
        return parse_threshold(text, registry.measures())
    except UnknownMeasure:
        return parse_threshold(text, registry.measures(ask_packages=True))


def _check_sentence(text: str) -> str:
    """Check the grammar only: what the selectors name is looked up when the plan is compiled."""
    if "${" in text:
        return text
    try:
        read_threshold(text)
    except ThresholdSyntaxError as failed:
        fault = Fault(Code.THRESHOLD_SYNTAX, failed.message, failed.hint)
        raise error(fault, offset=failed.offset, length=failed.length) from None
    return text


Sentence = Annotated[
    str,
    AfterValidator(_check_sentence),
    Field(
        json_schema_extra={
            "pattern": r"(<|>|==|!=|\$\{)",
            "patternErrorMessage": "write a condition such as `p95 < 500ms`",
            "title": "sentence",
        }
    ),
]


def _read_value(value: object) -> str | int | float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise error(Fault(Code.WRONG_TYPE, "a limit is a number, with its unit", "write `500ms`"))


def _read_abort(value: object) -> bool | str:
    if isinstance(value, bool) or (isinstance(value, str) and "${" in value):
        return value
    text = str(value).removeprefix("after ")
    try:
        parse_duration(text)
    except UnitError as failed:
        raise error(Fault(Code.INVALID_UNIT, failed.message, failed.hint)) from None
    return text


Limit = Annotated[str | int | float, ReadBy(_read_value, {"type": ["string", "integer", "number"]})]

AbortAfter = Annotated[
    bool | str,
    ReadBy(_read_abort, {"type": ["boolean", "string"], "pattern": r"^(after )?[0-9]|\$\{"}),
]


def _offer_aggregations(schema: dict[str, Any]) -> None:
    """Let editors offer the words; what else may stand here, `service.api.cpu`, is a text."""
    words = [word for record in AGGREGATIONS.values() for word in record.spellings]
    words += [f"p95 {word}" for word in registry.measures() if word != LATENCY.word]
    schema["anyOf"] = [{"enum": words}, {"type": schema.pop("type")}]


MetricWord = Annotated[str, Field(min_length=1, json_schema_extra=_offer_aggregations)]

_LONG_KEYS: Final = frozenset(
    {"metric", "select", "scope", "window", "op", "value", "abort", "on_no_data"}
)


class ThresholdModel(PlanMapping):
    """A condition on a metric; `fail` ends in exit code 1, `warn` only reports it."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "pattern": r"(<|>|==|!=|\$\{)",
        "patternErrorMessage": "write a condition such as `p95 < 500ms`",
        "markdownDescription": "A condition that must hold: "
        "`[agg] [measure] [of selector] [in phase X] [over 30s] op value`. "
        "`p95 of each request < 500ms` judges every request by itself.",
    }

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        heads = (agg for agg in AGGREGATIONS.values() if word in (agg.word, *agg.synonyms))
        example = next((agg.examples[0] for agg in heads), "p95 < 500ms")
        return f"a threshold is one sentence: `- {example}`"

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
    metric: MetricWord | None = Field(
        None,
        description="Long form: the aggregation that is judged, and the measure it is of.",
        examples=["p95"],
    )
    select: str | None = Field(
        None,
        min_length=1,
        description="Long form: which samples count, all when left out; `each request` judges "
        "every one by itself.",
        examples=['task:"get key"', 'each request except "POST /report"'],
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
        description="Long form: the length of the windows, and how many in a row, or how long, "
        "break it.",
        examples=["30s for 2 windows", "10s for 30s"],
    )
    op: OperatorSign | None = Field(
        None, description="Long form: how the metric is compared.", examples=['"<"']
    )
    value: Limit | None = Field(
        None, description="Long form: the limit, with its unit.", examples=["500ms"]
    )
    abort: AbortAfter | None = Field(
        None,
        description="Long form: end the run at once; a duration waits that long first.",
        examples=["1m"],
    )
    on_no_data: OnNoDataWord | None = Field(
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
            if not cls.has_unknown(data):
                yield from _long_form_faults(data)
            return
        for key in data:
            if key in _LONG_KEYS:
                yield Fault(
                    Code.CONFLICTING_KEYS,
                    f"`{key}` can't be combined with `{sentence}`",
                    "say it in the sentence, or use the long form: `metric`, `op`, `value` …",
                    key,
                )

    def sentences(self) -> Iterator[tuple[Literal["warn", "fail"], str, str]]:
        """Yield each condition: its level, the key that holds it, and its text.

        The long form gives the sentence that says the same; its key is empty.
        """
        if self.metric is not None:
            yield "fail", "", "".join(text for _, text in _pieces(vars(self)))
        if self.warn is not None:
            yield "warn", "warn", self.warn
        if self.fail is not None:
            yield "fail", "fail", self.fail


_CLAUSES: Final = (
    ("metric", ""),
    ("select", " of "),
    ("scope", " in "),
    ("window", " over "),
    ("op", " "),
    ("value", " "),
)


def _pieces(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the pieces of the sentence that the long form stands for, each with its key."""
    for key, before in _CLAUSES:
        if data.get(key) is not None:
            text = str(data[key])
            yield "", " " if key == "window" and text.startswith("for ") else before
            # `scope: in phase high` says the same as `scope: phase high`.
            yield key, text.removeprefix(before.lstrip())
    abort = data.get("abort")
    if abort is True:
        yield "abort", ", abort"
    elif abort not in (None, False):
        yield "abort", f", abort after {abort}"


def _long_form_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    missing = next((key for key in ("metric", "op", "value") if key not in data), None)
    if missing is not None:
        yield Fault(
            Code.MISSING_KEY,
            f"a threshold needs `{missing}`" if data else "a threshold is missing",
            "write a sentence such as `p95 < 500ms`, or all of `metric`, `op`, `value`",
        )
        return
    # Operators, delays and values of the wrong type have faults of their own.
    if data["op"] not in get_args(OperatorSign) or any(
        isinstance(value, list | dict) for value in data.values()
    ):
        return
    pieces = list(_pieces({**data, "abort": None}))
    text = "".join(piece for _, piece in pieces)
    if "${" in text:
        return
    try:
        read_threshold(text)
    except ThresholdSyntaxError as failed:
        key = _key_at(pieces, failed.offset)
        yield Fault(Code.THRESHOLD_SYNTAX, failed.message, failed.hint, path=(key,))


def _key_at(pieces: Sequence[tuple[str, str]], offset: int) -> str:
    """Return the key whose piece of the sentence is at `offset`."""
    end = 0
    last = "metric"
    for key, text in pieces:
        end += len(text)
        last = key or last
        if offset < end and key:
            break
    return last
