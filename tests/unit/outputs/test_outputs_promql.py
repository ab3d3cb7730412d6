"""What PromQL is asked in the place of a threshold, and why it can't be asked for some."""

from __future__ import annotations

from planrunner.metrics.thresholds import parse_threshold
from planrunner.outputs.prometheus.monitoring.promql import NoQuery, broken_expression
from tests.support.golden import check_golden

THRESHOLDS = r"""
p95 < 250ms
med of not status:404 < 1s
avg of task:buy > 1s
p99 of each request over 30s <= 2s
error_rate < 1%
error_rate of each user except user:A < 1%
throughput of "GET /a.b*" in phase p >= 9/s
count of status:5xx == 0
rate of error:timeout or error:connect < 5%
share of status:404 among not (task:a or user:B) < 5%
errors of /cart/ < 3
errors of /cart\Z/ < 3
dropped in phase p == 0
max of generator.loop_lag < 20ms
p95 of generator.cpu < 90%
p95 < 110% of baseline
p95 in stage hold < 1s
p95 of group:cart < 1s
p95 of tag:read < 1s
p95 of etcd.put < 1s
p95 ttfb < 1s
max < 1s
dropped < 1%
p95 of task:a or user:B < 1s
avg of service.api.rss < 1GB
growth of generator.cpu < 10%
apdex(500ms) > 0.9
ratio(p95 in phase a, p95 in phase b) < 2
"""


def asked(text: str) -> str:
    try:
        return broken_expression(parse_threshold(text), prefix="perf_test", plan='the "shop"')
    except NoQuery as reason:
        return f"- {reason}"


def test_a_threshold_becomes_a_query_or_says_why_not(*, update_golden: bool) -> None:
    """A query has a value while the threshold does not hold, of a minute or its own window."""
    shown = "".join(f"{text}\n    {asked(text)}\n" for text in THRESHOLDS.strip().splitlines())

    check_golden("monitoring/promql.txt", shown, update=update_golden)
