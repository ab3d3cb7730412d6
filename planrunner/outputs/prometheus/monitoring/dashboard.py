"""A Grafana dashboard of runs, built with Grafana's own builders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import common, dashboard, heatmap, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = ["dashboard_text"]

_UID: Final = "planrunner"
_SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
_EVERY: Final = "5s"
_WIDTH: Final = 24
_COLOURS: Final = {
    "pass": "green",
    "warn": "orange",
    "fail": "red",
    "no_data": "red",
    "n/a": "text",
}

_RUN: Final = 'plan=~"$plan"'
_PHASE: Final = f'{_RUN}, phase=~"$phase"'
_REQUEST: Final = f'{_PHASE}, request=~"$request", warmup="false"'

Queries = Sequence[tuple[str, str]]
"""Each with what its lines are called."""


def dashboard_text(prefix: str) -> str:
    """Return the dashboard as a file that Grafana 10.1 and newer import.

    Args:
        prefix: That of the metrics.
    """
    return _Board(prefix).text()


class _Board:
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        # A target has one run at a time, so its labels say which one a counter belongs to.
        self._of_run = (
            f'* on (job, instance) group_left (run) {prefix}_run_info{{{_RUN}, run=~"$run"}}'
        )

    def text(self) -> str:
        board = (
            dashboard.Dashboard("Performance tests")
            .uid(_UID)
            .tags(["planrunner"])
            .description("Runs of planrunner, scraped while they last.")
            .refresh(_EVERY)
            .time("now-15m", "now")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .variables(self._variables())
            .annotation(
                dashboard.AnnotationQuery()
                .name("Runs")
                .datasource(_SOURCE)
                .enable(enable=True)
                .icon_color("blue")
                .expr(f"{self._prefix}_run_start_timestamp_seconds{{{_RUN}}} * 1000 {self._of_run}")
            )
        )
        for title, panels in self._rows():
            board.with_row(dashboard.Row(title))
            for panel in panels:
                board.with_panel(panel.datasource(_SOURCE))
        written: dict[str, Any] = json.loads(JSONEncoder().encode(board.build()))
        for annotation in written["annotations"]["list"]:  # what the builders have no words for
            annotation |= {
                "useValueForTime": "on",
                "titleFormat": "{{plan}}",
                "textFormat": "run {{run}}",
                "step": _EVERY,
            }
        for number, panel in enumerate(written["panels"], 1):  # nor do they number panels
            panel["id"] = number
        return json.dumps(written, indent=2, ensure_ascii=False) + "\n"

    def _variables(self) -> list[Builder[model.VariableModel]]:
        requests, info = f"{self._prefix}_requests_total", f"{self._prefix}_run_info"
        return [
            dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"),
            _variable("plan", f"label_values({info}, plan)"),
            _variable("run", f"label_values({info}{{{_RUN}}}, run)"),
            _variable("phase", f"label_values({requests}{{{_RUN}}}, phase)"),
            _variable("request", f"label_values({requests}{{{_PHASE}}}, request)"),
        ]

    def _rows(self) -> list[tuple[str, list[Any]]]:
        return [
            ("Verdict", [*self._figures(), self._thresholds()]),
            ("Load", self._load()),
            ("Latency", self._latency()),
            ("Errors", self._errors()),
            ("Generator: can the numbers be trusted?", self._generator()),
        ]

    def _rate(self, name: str, labels: str, by: str = "") -> str:
        grouped = f" by ({by})" if by else ""
        series = f"{self._prefix}_{name}{{{labels}}}"
        return f"sum{grouped} (rate({series}[$__rate_interval]) {self._of_run})"

    def _quantile(self, quantile: float, by: str = "le") -> str:
        buckets = self._rate("request_duration_seconds_bucket", _REQUEST, by)
        return f"histogram_quantile({quantile}, {buckets})"

    def _error_share(self, by: str = "") -> str:
        # A counter of errors begins with the first one; until then there are none.
        requests = self._rate("requests_total", _REQUEST, by)
        return f"({self._rate('errors_total', _REQUEST, by)} or 0 * {requests}) / {requests}"

    def _figures(self) -> list[Any]:
        users = f"sum({self._prefix}_users{{{_RUN}}} {self._of_run})"
        return [
            _figure("Users", users),
            _figure("Requests", self._rate("requests_total", _REQUEST), "reqps"),
            _figure("p95", self._quantile(0.95), "s"),
            _figure("Errors", self._error_share(), "percentunit"),
        ]

    def _thresholds(self) -> Any:  # noqa: ANN401 - of a package without a name for it
        colours = {
            verdict: model.ValueMappingResult(color=colour, text=verdict)
            for verdict, colour in _COLOURS.items()
        }
        query = f"{self._prefix}_threshold{{{_RUN}}} {self._of_run} == 1"
        return (
            _sized(table.Panel(), "Thresholds", height=8, width=_WIDTH)
            .show_header(show_header=True)
            .with_target(
                Dataquery().expr(query).instant().format(PromQueryFormat.TABLE).ref_id("A")
            )
            .with_transformation(
                model.DataTransformerConfig(
                    id_val="organize",
                    options={
                        "excludeByName": dict.fromkeys(
                            ("Time", "Value", "__name__", "job", "instance"), True
                        ),
                        "indexByName": {"plan": 0, "run": 1, "threshold": 2, "verdict": 3},
                    },
                )
            )
            .override_by_name(
                "verdict",
                [
                    model.DynamicConfigValue("mappings", [model.ValueMap(options=colours)]),
                    model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
                ],
            )
        )

    def _load(self) -> list[Any]:
        users = f"sum by (user) ({self._prefix}_users{{{_RUN}}} {self._of_run})"
        requests = self._rate("requests_total", f'{_PHASE}, request=~"$request"', "request")
        dropped = self._rate("dropped_total", _PHASE, "phase")
        return [
            _chart("Users", [(users, "{{user}}")], stacked=True),
            _chart("Requests", [(requests, "{{request}}")], "reqps", stacked=True),
            _chart("Arrivals dropped: all users were busy", [(dropped, "{{phase}}")], "cps"),
        ]

    def _latency(self) -> list[Any]:
        percentiles = [
            (self._quantile(quantile), f"p{100 * quantile:g}")
            for quantile in (0.5, 0.9, 0.95, 0.99)
        ]
        return [
            _chart("Latency", percentiles, "s"),
            self._heat_map(),
            _chart(
                "p95 of each request", [(self._quantile(0.95, "le, request"), "{{request}}")], "s"
            ),
        ]

    def _heat_map(self) -> Any:  # noqa: ANN401 - as above
        buckets = self._rate("request_duration_seconds_bucket", _REQUEST, "le")
        return (
            _sized(heatmap.Panel(), "Latencies")
            .calculate(calculate=False)
            .color(
                heatmap.HeatmapColorOptions()
                .mode(heatmap_model.HeatmapColorMode.SCHEME)
                .scheme("Oranges")
                .steps(64)
            )
            .y_axis(heatmap.YAxisConfig().unit("s"))
            .show_legend()
            .with_target(
                Dataquery()
                .expr(buckets)
                .range()
                .format(PromQueryFormat.HEATMAP)
                .legend_format("{{le}}")
                .ref_id("A")
            )
        )

    def _errors(self) -> list[Any]:
        kinds = self._rate("errors_total", _REQUEST, "kind, status")
        statuses = self._rate("requests_total", _REQUEST, "status")
        shares = self._error_share("request")
        return [
            _chart("Errors by kind", [(kinds, "{{kind}} {{status}}")], "cps", stacked=True),
            _chart("Replies by status", [(statuses, "{{status}}")], "cps", stacked=True),
            _chart("Share of errors", [(shares, "{{request}}")], "percentunit"),
        ]

    def _generator(self) -> list[Any]:
        lag, cpu = (
            f"{self._prefix}_generator_{name}{{{_RUN}}} {self._of_run}"
            for name in ("loop_lag_seconds", "cpu_ratio")
        )
        return [
            _chart("Lateness of the generator", [(lag, "{{plan}} {{run}}")], "s"),
            _chart("Processor of the generator", [(cpu, "{{plan}} {{run}}")], "percentunit"),
        ]


def _variable(name: str, query: str) -> Builder[model.VariableModel]:
    everything = model.VariableOption(selected=True, text="All", value="$__all")
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .query({"query": query, "refId": name})
        .datasource(_SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(everything)
    )


def _sized(panel: Any, title: str, *, height: int = 8, width: int = _WIDTH // 3) -> Any:  # noqa: ANN401 - as above
    return panel.title(title).height(height).span(width)


def _figure(title: str, query: str, unit: str = "short") -> Any:  # noqa: ANN401 - as above
    return (
        _sized(stat.Panel(), title, height=4, width=_WIDTH // 4)
        .unit(unit)
        .graph_mode(common_model.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(Dataquery().expr(query).range().ref_id("A"))
    )


def _chart(title: str, queries: Queries, unit: str = "short", *, stacked: bool = False) -> Any:  # noqa: ANN401 - as above
    tooltip = (
        common.VizTooltipOptions()
        .mode(common_model.TooltipDisplayMode.MULTI)
        .sort(common_model.SortOrder.DESCENDING)
    )
    panel = _sized(timeseries.Panel(), title).unit(unit).min(0).tooltip(tooltip)
    if stacked:
        panel.fill_opacity(20).stacking(
            common.StackingConfig().mode(common_model.StackingMode.NORMAL)
        )
    for letter, (query, legend) in zip("ABCDEFGH", queries, strict=False):
        panel.with_target(Dataquery().expr(query).range().legend_format(legend).ref_id(letter))
    return panel
