"""What can follow in a threshold, word by word: from the tables that parse and judge it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

from planrunner.lsp.completion.offers import WordOffer, words
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind
from planrunner.metrics.aggregations.record import Aggregation, SelectorUse, WindowUse
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.thresholds.clauses import EACH, LIMITS, OPERATORS, SCOPES, SELECTORS
from planrunner.metrics.thresholds.selector import quoted
from planrunner.protocols import registry
from planrunner.protocols.base import FailureKind

__all__ = ["sentence_words"]

_KIND: Final = types.CompletionItemKind
_PIECE: Final = re.compile(
    r"\$\{[^}]*\}?|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[<>=!]=?|[(),]|[^\s<>=!(),\"']+"
)
_PREFIXES: Final = {
    "task": NameKind.TASK,
    "user": NameKind.USER,
    "iteration": NameKind.USER,
    "group": NameKind.GROUP,
    "tag": NameKind.TAG,
}
_GAUGES: Final = {
    "service.": (NameKind.SERVICE, (".cpu", ".rss")),
    "monitor.": (NameKind.MONITOR, ("",)),
    "metric.": (NameKind.METRIC, ("",)),
}
_OF_GENERATOR: Final = ("generator.cpu", "generator.loop_lag")
_SELECTING: Final = frozenset({"of", "among", "except", "and", "or", "not", "(", "each"})
_WINDOWS: Final = ("1s", "5s", "10s", "30s", "1m")
_AMOUNTS: Final = {
    Unit.DURATION: ("100ms", "250ms", "500ms", "1s"),
    Unit.RATE: ("10/s", "100/s", "30/m"),
    Unit.PERCENT: ("0.1%", "1%", "5%"),
    Unit.SIZE: ("100MB", "500MB", "2GiB"),
    Unit.NUMBER: ("0", "1", "10"),
}


def sentence_words(view: PlanView, typed: str, quote: str) -> Iterator[WordOffer]:
    """Yield what can be written at the end of a threshold.

    Args:
        view: The plan.
        typed: The threshold up to the cursor.
        quote: What the text begins with in YAML, which names can't be quoted with.
    """
    pieces = _PIECE.findall(typed)
    is_open = bool(pieces) and typed.endswith(pieces[-1]) and pieces[-1] not in "<>=!(),"
    last = pieces.pop() if is_open else ""
    marks = "'" if quote == '"' else '"'
    yield from _TypedSentence(view, pieces, last, marks).words()


class _TypedSentence:
    """A threshold up to the word that is being typed."""

    def __init__(self, view: PlanView, before: Sequence[str], last: str, marks: str) -> None:
        self._index = view.index
        self._before = before
        self._last = last
        self._marks = marks

    def words(self) -> Iterator[WordOffer]:
        if self._last.startswith("$"):
            params = [f"${{{name}}}" for name in self._index.names(NameKind.PARAM)]
            return self._some(params, _KIND.Constant, "param")
        previous = self._before[-1] if self._before else ""
        if not previous or previous == "ratio(":
            return self._heads()
        if previous in ("phase", "stage", "profile"):
            return self._names(NameKind(previous))
        return self._after(previous)

    def _after(self, previous: str) -> Iterator[WordOffer]:
        """Return what follows a word that is no name of a scope."""
        if previous == "in":
            return self._some(("phase", "stage", "profile"), _KIND.Keyword, "scope")
        if previous in _SELECTING:
            return self._selectors(is_each=previous == "each")
        if previous[:1] in "<>=!":
            return self._limits()
        if previous in ("over", "for", "after"):
            return self._some(_WINDOWS, _KIND.Value, "time")
        is_compared = any(piece[:1] in "<>=!" for piece in self._before)
        return self._ends(previous) if is_compared else self._clauses()

    def _some(
        self, labels: Iterator[str] | Sequence[str], kind: types.CompletionItemKind, detail: str
    ) -> Iterator[WordOffer]:
        yield from words(labels, kind, detail, start=len(self._last))

    def _offer(
        self, label: str, kind: types.CompletionItemKind, detail: str, about: str
    ) -> WordOffer:
        return WordOffer(label, kind, detail, about, start=len(self._last))

    def _names(self, kind: NameKind, prefix: str = "") -> Iterator[WordOffer]:
        for name in self._index.names(kind):
            yield self._offer(f"{prefix}{self._written(name)}", _KIND.Reference, kind, "")

    def _written(self, name: str, *, is_request: bool = False) -> str:
        shown = quoted(name, forced=is_request and "." in name)
        return shown if shown == name else f"{self._marks}{name}{self._marks}"

    def _heads(self) -> Iterator[WordOffer]:
        for agg in AGGREGATIONS.values():
            for word in agg.spellings:
                about = f"{agg.meaning}\n\n`{agg.examples[0]}`"
                yield self._offer(word, _KIND.Function, "aggregation", about)
        yield self._offer("ratio(", _KIND.Function, "two metrics", "the first over the second")
        yield from self._gauges()

    def _gauges(self) -> Iterator[WordOffer]:
        for prefix, (kind, ends) in _GAUGES.items():
            for name in self._index.names(kind):
                for end in ends:
                    yield self._offer(f"{prefix}{name}{end}", _KIND.Field, kind, "")
        yield from self._some(_OF_GENERATOR, _KIND.Field, "planrunner itself")

    def _selectors(self, *, is_each: bool) -> Iterator[WordOffer]:
        prefix = self._last.partition(":")[0] if ":" in self._last else ""
        if kind := _PREFIXES.get(prefix):
            yield from self._names(kind, f"{prefix}:")
            return
        if prefix == "error":
            labels = [f"error:{one.value}" for one in FailureKind]
            yield from self._some(labels, _KIND.EnumMember, "failure")
            return
        for name in self._index.names(NameKind.REQUEST):
            written = self._written(name, is_request=True)
            yield self._offer(written, _KIND.Reference, NameKind.REQUEST, "")
        if not is_each:
            for form in EACH[:6]:
                yield self._offer(
                    form.written.strip("`"), _KIND.Keyword, form.meaning, form.example
                )
            yield self._offer("not", _KIND.Operator, "all but", "")
        for word, kind in _PREFIXES.items():
            about = next((one for key, one in SELECTORS.items() if key == word), None)
            yield self._offer(f"{word}:", _KIND.Keyword, about.meaning if about else kind, "")
            yield from self._names(kind, f"{word}:")
        yield from self._some(("status:5xx", "status:404", "error:timeout"), _KIND.Keyword, "")
        yield from self._gauges()

    def _agg(self) -> Aggregation | None:
        head = self._before[0].partition("(")[0] if self._before else ""
        found = (one for one in AGGREGATIONS.values() if head in one.spellings)
        return next(found, AGGREGATIONS.get(head))

    def _clauses(self) -> Iterator[WordOffer]:
        """Yield what follows the aggregation, or a whole selector or scope."""
        used = set(self._before)
        agg = self._agg() or AGGREGATIONS["avg"]
        if len(self._before) == 1 and agg.takes_measure:
            yield from self._measures()
        if "of" not in used and agg.selector is not SelectorUse.NEVER:
            yield self._offer("of", _KIND.Keyword, "which samples count", "")
        elif not {"in", "over"} & used:
            yield from self._some(("and", "or"), _KIND.Operator, "")
        if agg.takes_among and "among" not in used:
            yield self._offer("among", _KIND.Keyword, "what the share is of", "")
        yield from self._scopes(used)
        if agg.window is not WindowUse.NEVER:
            yield from self._windows(used)
        for operator, meaning in OPERATORS.items():
            yield self._offer(operator.value, _KIND.Operator, meaning, "")

    def _measures(self) -> Iterator[WordOffer]:
        for word, measure in registry.measures().items():
            if word != LATENCY.word:
                yield self._offer(word, _KIND.Property, "measure", measure.meaning)

    def _scopes(self, used: set[str]) -> Iterator[WordOffer]:
        if "in" not in used:
            yield self._offer("in", _KIND.Keyword, "scope", SCOPES[1].meaning)
        elif "stage" not in used and self._before[-2] in ("phase", "profile"):
            yield from self._some(("stage", "phase"), _KIND.Keyword, "scope")

    def _windows(self, used: set[str]) -> Iterator[WordOffer]:
        if "over" not in used:
            yield self._offer("over", _KIND.Keyword, "window", "each window of this length")
        elif "for" not in used:
            yield self._offer("for", _KIND.Keyword, "windows in a row", "")

    def _limits(self) -> Iterator[WordOffer]:
        agg = self._agg()
        units = tuple(agg.units) if agg is not None and agg.units else (Unit.DURATION,)
        for unit in units:
            yield from self._some(_AMOUNTS[unit], _KIND.Value, LIMITS[unit].meaning)
        params = [f"${{{name}}}" for name in self._index.names(NameKind.PARAM)]
        yield from self._some(params, _KIND.Constant, "param")
        yield self._offer("110% of baseline", _KIND.Value, "a share of the baseline's", "")

    def _ends(self, previous: str) -> Iterator[WordOffer]:
        """Yield what follows the limit."""
        if previous == ",":
            yield from self._some(("abort", "abort after 10s"), _KIND.Keyword, "end the run")
        elif previous == "abort":
            yield from self._some(("after",), _KIND.Keyword, "from this time on")
        else:
            yield from self._some((", abort", ", abort after 10s"), _KIND.Keyword, "end the run")
            yield from self._some(("for", "except"), _KIND.Keyword, "")
