"""The threshold grammar: what it reads, what it writes back, and where it says no."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.thresholds import (
    Abort,
    Metric,
    Operator,
    Ratio,
    Threshold,
    ThresholdSyntaxError,
    Unit,
    Window,
    parse_threshold,
)
from planrunner.metrics.thresholds.selector import SelectorKind
from planrunner.units import NS_PER_MINUTE, NS_PER_MS, NS_PER_S

SENTENCES = [
    'p95 of "GET /items/*" < 500ms',
    "p95 of /^GET .*items/ < 500ms",
    "p95 of /^GET /items/ or task:/^pay/ < 500ms",
    r"p95 of /GET \/ items/ < 500ms",
    'p95 of task:"pay*" and tag:region="eu*" and not user:"B*" < 500ms',
    "p95 of tag:region=/^eu/ < 500ms",
    "p95 of each request < 500ms",
    'p95 of each request except "POST /report" < 500ms',
    'error_rate of each "GET /items/*" in phase peak over 10s < 1%, abort after 1m',
    "p95 of each request and tag:x except task:a or task:b < 500ms",
    "p95 of each task < 1s",
    'p95 of each group:"check*" < 1s',
    "p95 of each phase except phase:warm < 1s",
    "p95 of each iteration < 10s",
    "p95 of each tag:region < 110% of baseline",
    'p95 of "request" or "task" or "each" or "among" < 1s',
    "dropped of each phase < 1%",
    "mix_error of each user < 5%",
    'share of status:5xx among "POST /order" < 1%',
    "share of task:buy among user:Buyer > 20%",
    "share of status:5xx among each request except task:a < 1%",
    "p95 over 1s for 30 windows < 500ms",
    "stddev of group:checkout < 50ms",
    "p95 < 500ms",
    "avg < 1s",
    "med >= 0",
    "p99.9 < 1.5s",
    "error_rate == 0",
    "error_rate over 10s < 25%, abort",
    "count != 0",
    "errors <= 3",
    "throughput > 30/m",
    "achieved_rate >= 95%",
    "achieved_rate in phase open > 95/s",
    "dropped in phase open == 0",
    "late < 10",
    "mix_error of user:ApiUser in phase high < 5%",
    "max_sustainable in phase find-limit >= 150/s",
    "max_sustainable >= 200",
    "growth of service.api.rss in phase high < 100MB",
    "growth of monitor.app in profile soak over 10m < 100MB",
    "avg of service.api.cpu < 80%",
    "p99 of generator.loop_lag < 20ms",
    "max of monitor.db.connections < 42",
    "apdex(500ms) > 0.9",
    "p95 < 110% of baseline",
    'p99 of "GET /v1/crl" over 30s for 2 windows < 3s, abort after 1m',
    'p95 of task:"get key" < 1s',
    "p95 of tag:cached=false in phase high < 150ms",
    'p95 of tag:region="eu west" and not user:Admin < 1s',
    "rate of status:5xx or error:timeout < 1%",
    "count of not (task:a or task:b) > 1",
    "count of (a or b) and c > 1",
    "p95 of etcd.put < 50ms",
    'p95 of "etcd.put" < 50ms',
    'p95 of "in" < 50ms',
    "count of iteration:Buyer in phase P stage S > 10",
    "throughput of iteration in profile load > 1/s",
    "ratio(p50 of tag:cached=false in phase high, p50 of etcd.get in phase conc-read) < 5",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_in_its_usual_form_is_written_as_it_was_read(sentence: str) -> None:
    """Printing gives the sentence back, so that reports show what the plan says."""
    assert str(parse_threshold(sentence)) == sentence


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        ("service.api.cpu<80%", "avg of service.api.cpu < 80%"),
        ("of service.api.cpu < 80%", "avg of service.api.cpu < 80%"),
        (
            "p95 over 30s in phase high of 'GET /' < 1s",
            'p95 of "GET /" in phase high over 30s < 1s',
        ),
        ("rate of status:5* < 1%", "rate of status:5xx < 1%"),
        ("p95   of((task:a))<1s ,abort", "p95 of task:a < 1s, abort"),
        ("p95 over 60s for 1 window < 1s", "p95 over 1m < 1s"),
        (r'p95 of "say \"hi\"" < 1s', r'p95 of "say \"hi\"" < 1s'),
        ("p50.50 < 1s", "p50.5 < 1s"),
        ("p95 over 10s for 30s < 1s", "p95 over 10s for 3 windows < 1s"),
        ("p95 for 3 windows over 10s < 1s", "p95 over 10s for 3 windows < 1s"),
        ("p95 for 30s < 1s", "p95 over 1s for 30 windows < 1s"),
        ("p95 < 1s for 30s, abort", "p95 over 1s for 30 windows < 1s, abort"),
        ("p95 over 10s < 1s for 30s", "p95 over 10s for 3 windows < 1s"),
        ("p95 of each request < 1s except a", "p95 of each request except a < 1s"),
        (
            "p95 of each request < 1s for 5s except a",
            "p95 of each request except a over 1s for 5 windows < 1s",
        ),
        ("share among task:a of status:5xx < 1%", "share of status:5xx among task:a < 1%"),
        (r"p95 of /GET \/items/ < 1s", "p95 of /GET /items/ < 1s"),
        ("p95 of each request and (tag:x) < 1s", "p95 of each request and tag:x < 1s"),
    ],
)
def test_other_spellings_mean_the_same(written: str, usual: str) -> None:
    """Spaces, the order of clauses and abbreviations make no difference."""
    assert str(parse_threshold(written)) == usual
    assert parse_threshold(written) == parse_threshold(usual)


def test_parts_are_found() -> None:
    """The sentence of the stress plan gives every part with its unit."""
    text = 'p99 of "GET /v1/crl" over 30s for 2 windows < 3s, abort after 1m'

    found = parse_threshold(text)

    assert isinstance(found.metric, Metric)
    assert (found.metric.agg, found.metric.argument) == (AGGREGATIONS["p"], 99)
    assert found.window == Window(30 * NS_PER_S, 2)
    assert found.op is Operator.LESS
    assert (found.value.unit, found.value.amount) == (Unit.DURATION, 3 * NS_PER_S)
    assert found.abort == Abort(NS_PER_MINUTE)
    assert found.text == text


@pytest.mark.parametrize(
    ("limit", "unit", "amount"),
    [
        ("p95 < 1.5s", Unit.DURATION, 1_500 * NS_PER_MS),
        ("p95 < 0", Unit.DURATION, 0),
        ("error_rate < 0.1%", Unit.PERCENT, 0.001),
        ("error_rate == 0", Unit.PERCENT, 0),
        ("throughput > 30/m", Unit.RATE, 0.5),
        ("growth of service.api.rss < 100MB", Unit.SIZE, 100_000_000),
        ("max of monitor.queue < 100KiB", Unit.SIZE, 102_400),
        ("max of monitor.queue < 42", Unit.NUMBER, 42),
        ("ratio(p95, avg) < 2.5", Unit.NUMBER, 2.5),
    ],
)
def test_limits_come_in_base_units(limit: str, unit: Unit, amount: float) -> None:
    """Nanoseconds, fractions, per second, bytes: what the judge compares with."""
    value = parse_threshold(limit).value

    assert (value.unit, value.amount) == (unit, amount)


def test_a_share_of_the_baseline_is_a_fraction() -> None:
    """`110% of baseline` waits for the baseline's value."""
    value = parse_threshold("p95 < 110% of baseline").value

    assert (value.amount, value.of_baseline, str(value)) == (1.1, True, "110% of baseline")


def test_every_name_comes_with_its_place() -> None:
    """The compiler can point at each name that the plan doesn't have."""
    text = 'p95 of task:"get key" and (tag:a=b or etcd.put) in phase high stage hold < 1s'

    found = [(s.kind, s.name, s.value, text[s.offset : s.end]) for s in parse_threshold(text).terms]

    assert found == [
        (SelectorKind.TASK, "get key", None, '"get key"'),
        (SelectorKind.TAG, "a", "b", "a=b"),
        (SelectorKind.REQUEST, "etcd.put", None, "etcd.put"),
        (SelectorKind.PHASE, "high", None, "high"),
        (SelectorKind.STAGE, "hold", None, "hold"),
    ]


def test_a_ratio_names_what_both_sides_name() -> None:
    """Both metrics of a ratio have selectors and scopes of their own."""
    found = parse_threshold("ratio(p50 of task:a in phase x, p50 of task:b in phase y) < 5")

    assert isinstance(found.metric, Ratio)
    assert [term.name for term in found.terms] == ["a", "x", "b", "y"]


# sentence, the wrong piece, and what the hint says
FAULTS = [
    ("p95 for 2 windows < 1s", "for 2 windows", "for 30s"),
    ("p95 over 7s for 30s < 1s", "30s", "28s"),
    ("p95 for 500ms < 1s", "500ms", "`30s`"),
    ("p95 for 30s < 1s for 1m", "for", "keep one"),
    ("ratio(p95 for 30s, avg) < 5", "for", "leave out"),
    ("p95 of /(a/ < 1s", "/(a/", "Python's syntax"),
    ("p95 of /(?=a)b/ < 1s", "/(?=a)b/", "combine patterns"),
    ("p95 of // < 1s", "//", '"*"'),
    ("p95 of task:pay* < 1s", "*", 'task:"pay*"'),
    ("p95 of each < 1s", "each", "`each request`"),
    ("p95 of each status:5xx < 1s", "each status:5xx", "each request and status:5xx"),
    ("p95 of each requests < 1s", "requests", "`request`"),
    ("p95 of a and each request < 1s", "each", "leave it out"),
    ("p95 of each request except < 1s", "<", ""),
    ("p95 except a < 1s", "except", "of each request"),
    ("p95 of a < 1s except b", "except", "and not"),
    ("p95 of each request except a < 1s except b", "except", "combine"),
    ("ratio(p95 of each request, avg) < 5", "request", "threshold for each"),
    ("share < 1%", "share", "share of status:5xx"),
    ("share of each task among each user < 1%", "user", "one of them"),
    ("share of status:5xx among iteration < 1%", "5xx", "combine"),
    ("share of status:5xx < 1", "1", "1%"),
    ("p95 of a among b < 1s", "among", "combine"),
    ("share of service.a.cpu < 1%", "a.cpu", "use avg"),
    ("", "", "p95 < 500ms"),
    ("p95", "", "as in `p95 < 500ms`"),
    ("p95 <", "", "`500ms`"),
    ("p95 < 500", "500", "`500ms`"),
    ("p95 < 500 ms", "500", "`p95 < 500ms`"),
    ("p95 < 1%", "1%", "`500ms`"),
    ("p95 < 500mss", "500mss", "`250ms`"),
    ("error_rate < 1", "1", "write `1%`"),
    ("error_rate < 0.01", "0.01", "write `1%`"),
    ("throughput > 100", "100", "`100/s`"),
    ("errors < 1%", "1%", "`error_rate < 1%`"),
    ("rate of status:5xx < 5/s", "5/s", "`throughput of SELECTOR`"),
    ("ratio(p95, avg) < 500ms", "500ms", "number"),
    ("ratio(p95, count) < 5", "count", "same unit"),
    ("ratio(p95) < 5", ")", ""),
    ("ratio(p95 over 30s, avg) < 5", "over", "leave out"),
    ("apdex > 0.9", ">", "apdex(500ms)"),
    ("apdex(500ms) > 90%", "90%", "number"),
    ("apdex(500ms) > 90", "90", "0.9"),
    ("pp95 < 1s", "pp95", "did you mean `p95`"),
    ("P95 < 1s", "P95", "did you mean `p95`"),
    ("eror_rate < 1%", "eror_rate", "did you mean `error_rate`"),
    ("p(95) < 1s", "p", "write `p95 < 1s`"),
    ("p100 < 1s", "p100", "write `max`"),
    ("mean < 1s", "mean", "write `avg`"),
    ("rps > 5/s", "rps", "write `throughput`"),
    ("nonsense < 5", "nonsense", "known aggregations are avg"),
    ('"GET /" < 1s', '"GET', 'p95 of "GET /" < 1s'),
    ('of "GET /" < 1s', "of", 'p95 of "GET /" < 1s'),
    ("task:x < 1s", "task", "p95 of task:x < 1s"),
    ("p95 of < 1s", "<", ""),
    ("p95 of in phase x < 1s", "in", '`"in"`'),
    ("p95 of GET /kv < 1s", "/kv", '`p95 of "GET /kv" < 1s`'),
    ("p95 of /kv < 1s", "/kv", '`p95 of "/kv" < 1s`'),
    ("p95 of task:get key < 1s", "key", '`p95 of task:"get key" < 1s`'),
    ("p95 of tag:a=b c < 1s", "c", '`p95 of tag:a="b c" < 1s`'),
    ("p95 in phase ramp up < 1s", "up", '`p95 in phase "ramp up" < 1s`'),
    ("p95 of task: x < 1s", "task:", "`p95 of task:x < 1s`"),
    ("p95 of taks:x < 1s", "taks", "did you mean `task`"),
    ("p95 of request:x < 1s", "request", '`p95 of "x" < 1s`'),
    ("p95 of service:api < 1s", "service", "`service.NAME`"),
    ("p95 of service.api < 1s", "service.api", "`service.NAME.cpu`"),
    ("p95 of status:abc < 1s", "abc", "`5xx`"),
    ("p95 of status:6000 < 1s", "6000", "`5xx`"),
    ('p95 of "abc < 1s', '"', ""),
    ('p95 of "" < 1s', '""', ""),
    ("p95 of (a or b < 1s", "<", ""),
    ("p95 of a not b < 1s", "not", "`and not`"),
    ('p95 of iteration and "x" < 1s', '"x"', "`user:`"),
    ("p95 of service.a.cpu and task:x < 1", "a.cpu", "write a separate threshold"),
    ("throughput of service.a.cpu > 1/s", "a.cpu", "avg"),
    ("rate < 5%", "rate", "`error_rate < 5%`"),
    ("rate > 5/s", "rate", "`throughput > 5/s`"),
    ("dropped of task:x < 5", "x", "`dropped in phase NAME`"),
    ("mix_error of task:x < 5%", "x", "`mix_error of user:NAME`"),
    ("mix_error over 10s < 1%", "mix_error", "leave out"),
    ("growth over 10m for 2 windows < 1s", "growth", "leave out"),
    ("p95 off task:x < 1s", "off", "did you mean `of`"),
    ("p95 within 30s < 1s", "within", "write `over`"),
    ("p95 of a of b < 1s", "of", "`and`"),
    ("p95 in phase a in phase b < 1s", "in", "`in phase P stage S`"),
    ("p95 in stage a phase b < 1s", "phase", "`p95 in phase b stage a < 1s`"),
    ("p95 in phse x < 1s", "phse", "did you mean `phase`"),
    ("p95 in x < 1s", "x", "`p95 in phase x < 1s`"),
    ("p95 over 30 < 1s", "30", "`30s`"),
    ("p95 over 500ms < 1s", "500ms", "`p95 over 1s < 1s`"),
    ("p95 over < 1s", "<", "`30s`"),
    ("p95 over 30s for 2 < 1s", "<", "over 30s for 2 windows"),
    ("p95 over 30s for 0 windows < 1s", "0", "over 30s for 1 windows"),
    ("p95 = 1s", "=", "write `==`"),
    ("p95 => 1s", "=>", "write `>=`"),
    ("p95 < 1s abort", "abort", "comma"),
    ("p95 < 1s over 30s", "over", "`p95 over 30s < 1s`"),
    ("p95 < 1s and error_rate < 1%", "and", "one threshold per line"),
    ("p95 < 1s, abrt", "abrt", "did you mean `abort`"),
    ("p95 < 1s, error_rate < 1%", "error_rate", "one threshold per line"),
    ("p95 < 1s, abort after", "", "`30s`"),
    ("p95 < 110% of basline", "basline", "`110% of baseline`"),
    ("ratio(p95, avg) < 110% of baseline", "110%", "1.5"),
    ("p95 < 500ms of baseline", "500ms", "1%"),
]


@pytest.mark.parametrize(("sentence", "wrong", "hint"), FAULTS)
def test_a_fault_points_at_the_wrong_word(sentence: str, wrong: str, hint: str) -> None:
    """The caret stands under the word to change, and the hint says to what."""
    with pytest.raises(ThresholdSyntaxError) as caught:
        parse_threshold(sentence)

    fault = caught.value
    assert sentence[fault.offset : fault.offset + fault.length] == wrong
    assert hint in fault.hint


FOREIGN = [
    ("fail_ratio < 1%", "error_rate < 1%"),
    ("failure_ratio < 0.01", "error_rate < 1%"),
    ("http_req_failed < 0.01", "error_rate < 1%"),
    ("http_req_failed: rate<0.01", "error_rate<1%"),
    ("http_req_duration < 500ms", "avg < 500ms"),
    ("http_req_duration: p(95)<500", "p95<500ms"),
    ("http_req_waiting < 200ms", "p95 ttfb < 200ms"),
    ("http_reqs > 100", "throughput > 100/s"),
    ("iterations > 50", "count of iteration > 50"),
    ("iterations > 5/s", "throughput of iteration > 5/s"),
    ("dropped_iterations == 0", "dropped == 0"),
    ("avg_response_time < 200", "avg < 200ms"),
    ("response_time_95 < 500ms", "p95 < 500ms"),
    ("http.response_time.p99 < 800", "p99 < 800ms"),
    ("http.codes.500 == 0", "count of status:500 == 0"),
    ("vusers.failed == 0", "errors == 0"),
    ("avg-rt of checkout < 150ms", "avg of checkout < 150ms"),
    ("p90 of buy < 1 s for 10s", "p90 of buy < 1s for 10s"),
    ("rc5?? < 5", "count of status:5xx < 5"),
    ("fail < 50%", "error_rate < 50%"),
    ("90% line < 1s", "p90 < 1s"),
    ("95th percentile < 1s", "p95 < 1s"),
    ("p95_response_time < 1s", "p95 < 1s"),
    ("errorPct < 1", "error_rate < 1%"),
    ("meanResTime < 300", "avg < 300ms"),
    ('p95 of task "x" < 1s', 'p95 of task:"x" < 1s'),
    ("p95 of task x and user y < 1s", "p95 of task:x and user:y < 1s"),
    ("p95 for group pay < 1s", "p95 of group:pay < 1s"),
    ("error_rate of status 500 < 1%", "error_rate of status:500 < 1%"),
    ("p95 during phase peak < 1s", "p95 in phase peak < 1s"),
    ("p95 of phase peak < 1s", "p95 in phase peak < 1s"),
    ("avg-rt of label>150ms for 10s", "avg of label>150ms for 10s"),
    ("p90>250ms for 30s, stop as failed", "p90<=250ms for 30s, abort"),
    ("p90 of label>250ms, continue as failed", "p90 of label<=250ms"),
    ("http_req_duration{name:GET /x}: p(95)<500", 'p95 of "GET /x" <500ms'),
    ("http_req_failed{name:GET /x}: rate<0.01", 'error_rate of "GET /x" <1%'),
    ("http_req_duration{status:200} avg<500ms", "avg of status:200 <500ms"),
    ("http_req_duration{region:eu west}: med<500ms", 'med of tag:region="eu west" <500ms'),
    ("p95 of every request < 500ms", "p95 of each request < 500ms"),
    ("p95 per task < 500ms", "p95 of each task < 500ms"),
    ("p95 of each requests < 500ms", "p95 of each request < 500ms"),
    ("p95 of all requests < 500ms", "p95 < 500ms"),
    (
        'p95 of each request but not "POST /report" < 1s',
        'p95 of each request except "POST /report" < 1s',
    ),
    (
        'p95 of each request < 1s excluding "POST /report"',
        'p95 of each request < 1s except "POST /report"',
    ),
    ('share of status:5xx of "POST /x" < 1%', 'share of status:5xx among "POST /x" < 1%'),
    ('rate of status:5xx among "POST /x" < 1%', 'share of status:5xx among "POST /x" < 1%'),
    ("p95 of phase:peak < 1s", "p95 in phase peak < 1s"),
    ("p95 is below 5 seconds", "p95 < 5s"),
    ("p95 less than 200 milliseconds", "p95 < 200ms"),
    ("error rate of a above 1 percent", "error_rate of a > 1%"),
]


def followed(sentence: str, fault: ThresholdSyntaxError) -> str:
    """Return the sentence with what the hint proposes, in the place of a word or of all of it."""
    found = re.match(r"(?:write|did you mean) `([^`]+)`", fault.hint)
    assert found is not None, fault.hint
    place = f"{sentence[: fault.offset]}{found[1]}{sentence[fault.offset + fault.length :]}"
    return next((text for text in (place, found[1]) if is_threshold(text)), "")


def is_threshold(text: str) -> bool:
    return isinstance(attempt(text), Threshold)


@pytest.mark.parametrize(("sentence", "meant"), FOREIGN)
def test_the_words_of_other_tools_lead_to_a_valid_sentence(sentence: str, meant: str) -> None:
    """Whoever follows the hint is done."""
    fault = attempt(sentence)

    assert isinstance(fault, ThresholdSyntaxError)
    assert str(attempt(followed(sentence, fault))) == str(attempt(meant))


@pytest.mark.parametrize(("sentence", "hint"), [(fault[0], fault[2]) for fault in FAULTS])
def test_a_hint_that_proposes_something_leads_to_a_valid_sentence(sentence: str, hint: str) -> None:
    """A proposal that is wrong again is worse than none."""
    fault = attempt(sentence)

    assert isinstance(fault, ThresholdSyntaxError)
    has_blank = re.search(r"\b(?:NAME|P stage S)\b", fault.hint)  # for a name to fill in
    if not has_blank and re.fullmatch(r"(?:write|did you mean) `[^`]*`", fault.hint):
        assert followed(sentence, fault), fault.hint


@pytest.mark.parametrize("sentence", ["checks: rate > 0.9", "maxErrorRate: 1", "< 5s", "of x < 1"])
def test_what_has_no_aggregation_gets_an_example_that_has(sentence: str) -> None:
    """It is a sentence itself, and not what was written behind `p95 of`."""
    fault = attempt(sentence)

    assert isinstance(fault, ThresholdSyntaxError)
    examples = re.findall(r"`([^`]+)`", fault.hint)
    assert examples
    assert all(map(is_threshold, examples))


def attempt(text: str) -> Threshold | ThresholdSyntaxError:
    try:
        return parse_threshold(text)
    except ThresholdSyntaxError as fault:
        return fault


def test_hostile_texts_are_refused_at_once() -> None:
    """Depth and length are limited; no text exhausts the stack or the patience."""
    for sentence in ("p95 of " + "(" * 900, "p95 of " + "not " * 900, "p95 of a < " + "9" * 10_000):
        with pytest.raises(ThresholdSyntaxError):
            parse_threshold(sentence)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_within_it(text: str) -> None:
    """No text raises anything else, and the place is always inside it or at its end."""
    found = attempt(text)

    if isinstance(found, ThresholdSyntaxError):
        assert 0 <= found.offset <= len(text)
        assert found.length >= 1


PIECES = ["p95", "rate", "of", "in", "over", "for", "and", "or", "not", "(", ")", '"GET /"', "<"]
PIECES += ["500ms", "1%", "5", ",", "abort", "after", "phase", "stage", "task:", "x", "tag:a=", "="]
PIECES += [
    "ratio",
    "windows",
    "baseline",
    "service.a.rss",
    "iteration",
    "status:5*",
    "apdex",
    "30s",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
def test_words_in_any_order_are_read_or_refused(text: str) -> None:
    """A heap of valid words is a threshold or a fault with a place, never a crash."""
    found = attempt(text)

    if isinstance(found, Threshold):
        assert parse_threshold(str(found)) == found
    else:
        assert 0 <= found.offset <= len(text)


bare = st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True)
names = st.one_of(bare, st.text(min_size=1, max_size=8)).map(
    lambda name: '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
terms = st.one_of(
    names,
    st.builds("{}:{}".format, st.sampled_from(["task", "user", "group", "tag", "error"]), names),
    st.builds("tag:{}={}".format, names, names),
    st.builds("status:{}{}".format, st.integers(1, 9), st.sampled_from(["xx", "*", "04"])),
    st.sampled_from(["etcd.put", "login"]),
)
selections = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and {}".format, inner, terms),
        st.builds("{} or {}".format, terms, inner),
    ),
    max_leaves=5,
)
durations = st.builds("{}{}".format, st.integers(1, 90), st.sampled_from(["s", "m", "h"]))
clauses = st.tuples(
    st.one_of(st.just(""), selections.map("of {}".format)),
    st.one_of(
        st.just(""),
        st.builds("in {} {}".format, st.sampled_from(["phase", "stage", "profile"]), names),
        st.builds("in phase {} stage {}".format, names, names),
    ),
    st.one_of(
        st.just(""),
        durations.map("over {}".format),
        st.builds("over {} for {} windows".format, durations, st.integers(2, 9)),
    ),
).flatmap(st.permutations)
heads = st.one_of(
    st.tuples(st.sampled_from(["avg", "min", "max", "med", "p50", "p99.9"]), durations),
    st.tuples(st.just("error_rate"), st.integers(0, 100).map("{}%".format)),
    st.tuples(st.just("throughput"), st.integers(1, 100).map("{}/m".format)),
    st.tuples(st.sampled_from(["count", "errors"]), st.integers(0, 10**6).map(str)),
    st.tuples(st.just("apdex(1m)"), st.just("0.85")),
    st.tuples(st.just("p95"), st.integers(1, 300).map("{}% of baseline".format)),
)
aborts = st.one_of(st.just(""), st.just(", abort"), durations.map(", abort after {}".format))


@given(heads, clauses, st.sampled_from(list(Operator)), aborts)
def test_what_is_written_reads_back(
    head: tuple[str, str], parts: list[str], op: Operator, abort: str
) -> None:
    """Every sentence of the grammar reads, and its printed form reads as the same threshold."""
    agg, value = head
    found = parse_threshold(f"{agg} {' '.join(parts)} {op} {value}{abort}")

    again = parse_threshold(str(found))

    assert again == found
    assert str(again) == str(found)
