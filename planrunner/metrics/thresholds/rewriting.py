"""What a sentence that can't be read was meant to say: a hint is a sentence that can be.

People bring the words of other tools and their own guesses. A rewriting is only a guess too, so
what it gives is parsed before anyone sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.metrics.thresholds.model import ThresholdSyntaxError
from planrunner.metrics.thresholds.selector import quoted

__all__ = ["tried_hint"]

Parse = Callable[[str], object]

_LONGEST: Final = 200
_MOST_ROUNDS: Final = 5

_PROPOSED: Final = re.compile(r"(?:write|did you mean) `([^`]+)`")

_BEGUN: Final = re.compile(r"begin with an aggregation: `([^`]+)`")

_KIND: Final = r"(?P<kind>task|user|group|tag|status|error)"
_BEFORE: Final = r"(?P<before>\b(?:of|and|or|not)\s+|\()"
# A name without quotes goes up to the next clause, connective or operator.
_NAME: Final = (
    r"""(?P<name>"[^"]*"|'[^']*'|[^\s"'<>=!,():][^"'<>=!,()]*?"""
    r"(?=\s+(?:of|among|except|in|over|and|or|for|phase|stage|profile)\s|\s*[<>=!,()]))"
)
_LATENCY: Final = (
    r"(?:http_req_duration|(?:current_|total_|get_)*response_?time|latency|duration|rt|http)"
)
_NUMBER: Final = r"(?P<number>[1-9][0-9]?(?:\.[0-9]+)?)"

_EACH: Final = "request|task|group|user|phase|iteration"

_REWRITINGS: Final = (
    # Operators, units and outcomes in words.
    (re.compile(r",?\s+(?:stop|continue)\s+as\s+(?:non-failed|successful)\Z"), ""),
    (re.compile(r"\s+(?:is\s+)?(?:(?:less|lower|fewer)\s+than|below|under)\s+(?=[0-9])"), " < "),
    (re.compile(r"\s+(?:is\s+)?(?:(?:more|greater|higher)\s+than|above)\s+(?=[0-9])"), " > "),
    (re.compile(r"(?<=[0-9])\s*(?:milliseconds?|millis|msecs?)\b"), "ms"),
    (re.compile(r"(?<=[0-9])\s*(?:seconds?|secs?)\b"), "s"),
    (re.compile(r"(?<=[0-9])\s*(?:minutes?|mins?)\b"), "m"),
    (re.compile(r"(?<=[0-9])\s*percent\b"), "%"),
    # Single ones by other words, what is left out, and what something is a share of.
    (re.compile(r"\bof\s+all\s+requests\b"), ""),
    (
        re.compile(
            r"(?<!and )(?<!or )(?<!not )\b(?:of\s+|for\s+)?(?:every|any|per|each)\s+(?=(?:"
            + _EACH
            + r")\b)"
        ),
        "of each ",
    ),
    (re.compile(r"\b(?P<word>each\s+(?:" + _EACH + r"))s\b"), r"\g<word>"),
    (
        re.compile(
            r",?\s*\b(?:but\s+not|but|exclud(?:ing|e)|without|other\s+than|apart\s+from|besides|save)"
            r"\s+(?=[\"'/A-Za-z])"
        ),
        " except ",
    ),
    (
        re.compile(
            r"\Ashare\s+of\s+(?P<what>(?:(?!\samong\s).)+?)\s+(?:out\s+of|of|from|within)\s+"
        ),
        r"share of \g<what> among ",
    ),
    (re.compile(r"\Arate\s+of\s+(?=.*\samong\s)"), "share of "),
    # Clauses by other words.
    (re.compile(r"\bof\s+(?P<scope>phase|stage|profile):\s*"), r"in \g<scope> "),
    (re.compile(r"\b(?:for|where|on)\s+(?=(?:task|user|group|tag|status|error|request)\b)"), "of "),
    (re.compile(r"\bduring\s+(?=(?:phase|stage|profile)\b)"), "in "),
    (re.compile(r"\bof\s+(?=(?:phase|stage|profile)\s)"), "in "),
    (re.compile(r"\bin\s+(?!phase\b|stage\b|profile\b)(?=[A-Za-z\"'])"), "in phase "),
    (
        re.compile(r"(?P<left>[<>=]=?\s*\S+)\s+over\s+(?P<window>[0-9]\S*)"),
        r" over \g<window> \g<left>",
    ),
    (
        re.compile(r"\bin\s+stage\s+(?P<stage>\S+)\s+(?:in\s+)?phase\s+(?P<phase>\S+)"),
        r"in phase \g<phase> stage \g<stage>",
    ),
    (re.compile(r"\bfor\s+(?P<count>[1-9][0-9]*)(?=\s*[<>=])"), r"for \g<count> windows"),
    (re.compile(r"\bfor\s+0\s+windows?\b"), "for 1 windows"),
    (re.compile(r"\bover\s+[0-9.]+[mun]s\b"), "over 1s"),
    (
        re.compile(
            r"(?<=[0-9])\s+(?=(?:[mun]?s|[mh]|[KMGT]i?B|B|%|/[smh])(?:,|\s+(?:for|except)\b|\Z))"
        ),
        "",
    ),
    # Percentiles by other words: `p(95)`, `response_time_95`, `perc95`, `95th percentile`.
    (re.compile(rf"\bp\(\s*{_NUMBER}\s*\)"), r"p\g<number>"),
    (re.compile(rf"\b(?:perc(?:entile)?|pct|p)[_-]?\(?{_NUMBER}\)?(?:th)?\b"), r"p\g<number>"),
    (re.compile(rf"(?<![\w.]){_NUMBER}(?:th|%)?[\s_-]+(?:percentile|perc|line)\b"), r"p\g<number>"),
    (re.compile(rf"\A{_NUMBER}%(?=\s*[<>=])"), r"p\g<number>"),
    (
        re.compile(rf"\b{_LATENCY}[._:\s-]+(?:percentile[._(-]*)?(?:p)?{_NUMBER}\)?(?![\w%])"),
        r"p\g<number>",
    ),
    (re.compile(rf"\b{_LATENCY}[._:\s-]+(?=p[0-9]|avg\b|min\b|max\b|med\b)"), ""),
    (re.compile(rf"\bp{_NUMBER}[._\s-]*(?:{_LATENCY}|lt)\b(?=\s|[<>=]|\Z)"), r"p\g<number>"),
    (re.compile(r"\bhttp_req_(?:failed|s)\s*[:,]?\s*rate\b"), "error_rate"),
    (re.compile(r"\bhttp_reqs\s*[:,]?\s*(?:rate|count)\b"), "http_reqs"),
    (re.compile(r"\Achecks?(?:\s*[:,.]\s*|\s+|_)(?:rate|passes)\b"), "checks"),
    (
        re.compile(r"\A(?:http\.codes\.|rc)(?P<code>[1-5](?:[0-9]{2}|xx|\?\?))(?=\W)"),
        r"count of status:\g<code>",
    ),
    (re.compile(r"\bstatus:(?P<code>[1-5])\?\?"), r"status:\g<code>xx"),
    (
        re.compile(r"\A(?:fail(?:ure)?s?|error)[\s_-]+(?:ratio|rate|percent(?:age)?)\b"),
        "error_rate",
    ),
    (re.compile(r"\A(?:fail(?:ed|ures)?|errors?)\b(?=.*%\Z)"), "error_rate"),
    (re.compile(r"\Aiterations\b(?=[^/]*\Z)"), "count of iteration"),
    (re.compile(r"\Aiterations\b"), "throughput of iteration"),
    (re.compile(r"\Aiteration_duration\b"), "avg of iteration"),
    (re.compile(r"\Arate\b(?=\s*[<>=]+\s*[0-9.]+%?\s*\Z)"), "error_rate"),
    (re.compile(r"\Arate\b(?=\s*[<>=])"), "throughput"),
)
_SELECTED: Final = re.compile(rf"{_BEFORE}{_KIND}(?::\s*|\s+){_NAME}")
_SCOPED: Final = re.compile(rf"(?P<before>\b(?:phase|stage|profile)\s+){_NAME}")
_TAGGED: Final = re.compile(rf"(?P<before>\btag:[\w.-]+=)(?!=){_NAME}")
_PATH: Final = re.compile(rf"{_BEFORE}(?=/){_NAME}")
_REQUEST: Final = re.compile(
    rf"{_BEFORE}(?:request|name|url|label)(?::\s*|\s+)(?!(?:in|over|and|or|for)\s){_NAME}"
)
_SPACED: Final = re.compile(
    rf"{_BEFORE}(?!(?:each|not|task|user|group|tag|status|error|iteration)\b)"
    r"(?=[^\s\"'(:]+\s+(?!of\b|among\b|except\b|in\b|over\b|and\b|or\b|for\b)[^\s<>=!,()])"
    rf"{_NAME}"
)
_VERB: Final = re.compile(rf"{_BEFORE}(?=(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s){_NAME}")


def tried_hint(text: str, error: ThresholdSyntaxError, parse: Parse) -> str:
    """Return a hint that leads to a sentence: the error's own, or a whole sentence instead.

    Args:
        text: The sentence.
        error: What is wrong with it.
        parse: Raises ThresholdSyntaxError where a sentence can't be read.
    """
    followed = _followed(text, error)
    if len(text) > _LONGEST or (followed is not None and _fault(followed, parse) is None):
        return error.hint
    sentence: str | None = _rewritten(text)
    for _ in range(_MOST_ROUNDS):
        if sentence is None:
            break
        fault = _fault(sentence, parse)
        if fault is None:
            return f"write `{sentence}`" if sentence != text else error.hint
        sentence = _followed(sentence, fault)
    begun = _BEGUN.match(error.hint)
    if begun is not None and _fault(begun[1], parse) is not None:
        return "begin with an aggregation, such as `p95 < 500ms`"
    return error.hint


def _fault(text: str, parse: Parse) -> ThresholdSyntaxError | None:
    try:
        parse(text)
    except ThresholdSyntaxError as error:
        return error
    return None


def _followed(text: str, error: ThresholdSyntaxError) -> str | None:
    """Return the sentence with the first thing that the hint proposes in the wrong word's place."""
    proposed = _PROPOSED.match(error.hint)
    if proposed is None:
        return None
    return f"{text[: error.offset]}{proposed[1]}{text[error.offset + error.length :]}"


# Taurus says what must not happen, and k6 puts tags behind the metric: `http_req_duration{name:x}`.
_CRITERION: Final = re.compile(
    r"(?P<left>[^<>=]*)(?P<op>[<>]=?)(?P<right>.*?),?\s+(?P<does>stop|continue)\s+as\s+failed"
)
_INVERTED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_TAGS: Final = re.compile(r"\A(?P<metric>\w+)\{(?P<tags>[^{}]*)\}(?P<rest>[^<>=!]*)")
_TAG_WORDS: Final = {"name": "", "url": "", "status": "status:", "group": "group:"}


def _rewritten(text: str) -> str:
    sentence = " ".join(text.split())
    sentence = _CRITERION.sub(_condition, sentence)
    sentence = _TAGS.sub(_with_tags_behind, sentence)
    for pattern, replacement in _REWRITINGS:
        sentence = pattern.sub(replacement, sentence)
    sentence = " ".join(sentence.split())
    sentence = _SELECTED.sub(lambda found: _selector(found, f"{found['kind']}:"), sentence)
    for pattern in (_SCOPED, _TAGGED):
        sentence = pattern.sub(lambda found: _selector(found, ""), sentence)
    for pattern in (_REQUEST, _VERB, _PATH, _SPACED):
        sentence = pattern.sub(lambda found: _selector(found, "", forced=True), sentence)
    return sentence


def _condition(found: re.Match[str]) -> str:
    abort = ", abort" if found["does"] == "stop" else ""
    return f"{found['left']}{_INVERTED[found['op']]}{found['right']}{abort}"


def _with_tags_behind(found: re.Match[str]) -> str:
    pairs = (pair.partition(":") for pair in found["tags"].split(",") if ":" in pair)
    terms = []
    for key, _, value in pairs:
        name = key.strip()
        shown = quoted(value.strip(" :'\""), forced=name in ("name", "url"))
        terms.append(f"{_TAG_WORDS.get(name, f'tag:{name}=')}{shown}")
    selected = f" of {' and '.join(terms)}" if terms else ""
    return f"{found['metric']}{found['rest'].rstrip()}{selected} "


def _selector(found: re.Match[str], prefix: str, *, forced: bool = False) -> str:
    name = found["name"]
    shown = name if name[0] in "\"'" else quoted(name.strip(), forced=forced)
    return f"{found['before']}{prefix}{shown}"
