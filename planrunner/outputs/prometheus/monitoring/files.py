"""Everything that `planrunner monitoring` writes, by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from ruamel.yaml import YAML

from planrunner.extras import need
from planrunner.metrics.thresholds import Threshold
from planrunner.outputs.prometheus.monitoring.alerts import rules_text

__all__ = ["monitoring_files"]

_DASHBOARD = "grafana/dashboards/performance-testing.json"
_RULES = "rules/performance-alerts.yml"
_PROMETHEUS = "prometheus/prometheus.yml"

_READ_ME = """\
# Monitoring of performance tests

Written by `planrunner monitoring`; write it again after changes of the plan's thresholds.

| file | what it is |
|---|---|
| `{dashboard}` | a dashboard for Grafana 10.1 or newer |
| `prometheus/{rules}` | alerts for Prometheus |
| `{prometheus}` | a configuration that scrapes runs on this machine and loads the alerts |

1. Start Prometheus: `prometheus --config.file={prometheus}`, or copy `scrape_configs` and
   `rule_files` into the configuration that you have.
2. Import the dashboard in Grafana (Dashboards, New, Import), and choose your Prometheus above the
   charts.
3. Run a plan: `planrunner execute plan.yaml --output prometheus=:{port}`.
"""


def monitoring_files(
    plan: str, thresholds: Sequence[Threshold], *, prefix: str, target: str
) -> Mapping[str, str]:
    """Return the texts of all files by their paths.

    Args:
        plan: The name of the plan that has the thresholds; empty for none.
        thresholds: What alerts are made of.
        prefix: That of the metrics.
        target: Where the page of metrics is, `HOST:PORT`.

    Raises:
        PackageMissing: The dashboard needs a package.
    """
    need("grafana_foundation_sdk", "the dashboard of `planrunner monitoring`")
    from planrunner.outputs.prometheus.monitoring.dashboard import dashboard_text  # noqa: PLC0415 - an extra

    names = {"dashboard": _DASHBOARD, "rules": _RULES, "prometheus": _PROMETHEUS}
    return {
        _DASHBOARD: dashboard_text(prefix),
        f"prometheus/{_RULES}": rules_text(plan, thresholds, prefix=prefix),
        _PROMETHEUS: _configuration(target),
        "README.md": _READ_ME.format(**names, port=target.rpartition(":")[2]),
    }


def _configuration(target: str) -> str:
    text = StringIO()
    YAML().dump(
        {
            "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
            "rule_files": [_RULES],
            "scrape_configs": [
                {"job_name": "planrunner", "static_configs": [{"targets": [target]}]}
            ],
        },
        text,
    )
    return text.getvalue()
