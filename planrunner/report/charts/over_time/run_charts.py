"""The charts of requests over time: load, latency, each request, statuses and failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Self

from planrunner.report.charts.chart import Chart, ChartEntry, Rows
from planrunner.report.charts.chart_data import bands_of, drawn_of, points_of
from planrunner.report.charts.chart_words import (
    cut_words,
    failures_words,
    latency_words,
    load_words,
    requests_words,
    statuses_words,
)
from planrunner.report.charts.over_time.limits import (
    ERRORS,
    LATENCIES,
    LOAD,
    ChartLimit,
    limits_of,
    lines_of,
    window_words,
    windows_of,
)
from planrunner.report.charts.over_time.request_columns import (
    RequestColumns,
    columns_of,
    compact,
    rate_rows,
)
from planrunner.report.charts.over_time.time_specs import (
    Backdrop,
    lines_spec,
    load_spec,
    stacks_spec,
)
from planrunner.report.charts.palette import Palette
from planrunner.report.findings import most_first
from planrunner.report.plain import plain
from planrunner.results.model import RunResult
from planrunner.values import dataclass

__all__ = ["RATE", "SLOTS", "RunTimes", "chart_data", "time_charts"]

_DOTS_BELOW: Final = 40  # points on a line: with more, dots hide what they mark
_PERCENTILES: Final = ("p50", "p95", "p99")
RATE: Final = "requests/s"
_USERS: Final = "users"
_GOOD: Final = ("2", "3", "OK")
SLOTS: Final = 8
"""Requests that are drawn in one chart: as many lines as can be told apart."""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """What the charts over time of a run have in common.

    Attributes:
        points: Rows of all requests together, by second and phase.
        columns: All requests together, then each; empty for old results.
        end: The second that all charts end with.
    """

    result: RunResult
    points: Rows
    bands: Rows
    columns: Sequence[RequestColumns]
    limits: list[ChartLimit]
    end: float

    @classmethod
    def of(cls, result: RunResult) -> Self:
        columns = columns_of(result)
        seconds = [point.second for point in result.points]
        seconds += [column.seconds[-1] for column in columns if column.seconds]
        gauged = [second for track in result.tracks for second in track.seconds]
        end = float(max(seconds or gauged, default=1))
        names = {column.request: column.name for column in columns}
        return cls(
            result=result,
            points=points_of(drawn_of(result)),
            bands=bands_of(result.points, result.changes),
            columns=columns,
            limits=limits_of(result, names, end=end),
            end=end,
        )

    @property
    def dots(self) -> bool:
        return len(self.points) < _DOTS_BELOW

    @property
    def ghost(self) -> str:
        """What the earlier run is called in legends; empty without one."""
        return self.result.earlier[0].kind.value if self.result.earlier else ""

    def backdrop(self, chart: str, rows: Rows, *, scale: float = 1) -> Backdrop:
        """Return what is behind the values of a chart."""
        return Backdrop(
            bands=self.bands,
            limits=lines_of(self.limits, chart, scale=scale),
            windows=windows_of(self.limits, chart),
            end=self.end,
            reach=max((float(str(row["v"])) for row in rows), default=0),
        )

    def told(self, *sentences: str, chart: str = "") -> str:
        """Return the words of a chart, those of its worst windows with them."""
        return " ".join(filter(None, (*sentences, window_words(self.limits, chart))))


def time_charts(times: RunTimes, palette: Palette) -> Iterator[Chart]:
    """Yield the charts over time that the run has data for."""
    if times.points:
        yield _load(times, palette)
        # Of a chart whose points are all left out, Vega cannot tell the size.
        if any(row["p50"] for row in times.points):
            yield _latency(times, palette)
    if len(times.columns) > 2 and any(_of_figure(times.columns[1:], "p95")):
        yield _requests(times, palette)
    if times.columns and times.columns[0].statuses:
        yield _statuses(times, palette)
    if failures := list(_failure_rows(times)):
        yield _failures(times, failures, palette)


def _load(times: RunTimes, palette: Palette) -> Chart:
    rates: dict[object, float] = {}
    users: dict[object, int] = {}
    for row in times.points:
        second = row["t"]
        rates[second] = rates.get(second, 0.0) + float(str(row["rps"]))
        users[second] = max(users.get(second, 0), int(str(row["users"])))
    rows = [{"t": t, "series": RATE, "v": compact(rate)} for t, rate in rates.items()]
    entries = [ChartEntry(RATE, palette.series[0])]
    if times.ghost:
        entries.append(ChartEntry(f"{RATE} of the {times.ghost}", palette.soft, is_dashed=True))
        rows += _ghost(times, entries[-1].series, "rps")
    reach = times.backdrop(LOAD, rows)
    if any(users.values()):
        entries.append(ChartEntry(_USERS, palette.series[1], unit=_USERS))
        rows += [{"t": t, "series": _USERS, "v": count} for t, count in users.items()]
    return Chart(
        LOAD,
        "Load",
        times.told(load_words(times.result), cut_words(times.result), chart=LOAD),
        load_spec(palette, entries, reach, dots=times.dots),
        chart_data(rows, reach),
        entries=tuple(entries),
        unit="/s",
        follows=True,
    )


def _latency(times: RunTimes, palette: Palette) -> Chart:
    rows = [
        {"t": row["t"], "series": word, "v": row[word], "phase": row["phase"]}
        for word in _PERCENTILES
        for row in times.points
        if row["p50"]
    ]
    entries = [
        ChartEntry(word, color)
        for word, color in zip(_PERCENTILES, palette.percentiles, strict=True)
    ]
    if times.ghost:
        entries.append(ChartEntry(f"p95 of the {times.ghost}", palette.soft, is_dashed=True))
        rows += [row | {"phase": ""} for row in _ghost(times, entries[-1].series, "p95")]
    backdrop = times.backdrop(LATENCIES, rows, scale=1e6)
    return Chart(
        LATENCIES,
        "Latency over time",
        times.told(latency_words(times.result), chart=LATENCIES),
        lines_spec(palette, entries, backdrop, unit="ms", dots=times.dots),
        chart_data(rows, backdrop),
        entries=tuple(entries),
        unit="ms",
        follows=True,
    )


def _requests(times: RunTimes, palette: Palette) -> Chart:
    chosen = times.columns[1 : SLOTS + 1]
    entries = tuple(
        ChartEntry(column.name, color) for column, color in zip(chosen, palette.slots, strict=False)
    )
    colors = {entry.series: entry.color for entry in entries}
    rows = [row | {"color": colors[str(row["series"])]} for row in _of_figure(chosen, "p95")]
    backdrop = Backdrop(bands=times.bands, end=times.end)
    return Chart(
        "requests",
        "Each request over time",
        requests_words(times.result, len(times.columns) - 1, SLOTS),
        lines_spec(palette, entries, backdrop, unit="ms", dots=times.dots, is_open=True),
        {"points": rows, "bands": times.bands},
        wide=True,
        entries=entries,
        unit="ms",
    )


def _of_figure(columns: Sequence[RequestColumns], word: str) -> Iterator[dict[str, object]]:
    for column in columns:
        for second, value in zip(column.seconds, column.latencies[word], strict=True):
            if value is not None:
                yield {"t": second, "series": column.name, "v": value}


def _statuses(times: RunTimes, palette: Palette) -> Chart:
    everything = times.columns[0]
    # What went well is the ground that the rest stands on.
    order = sorted(everything.statuses, key=lambda name: (not name.startswith(_GOOD), name == "0"))
    statuses = {_status(name): everything.statuses[name] for name in order}
    entries = tuple(
        ChartEntry(name, color)
        for name, color in zip(statuses, palette.of_outcomes(statuses), strict=True)
    )
    rows = rate_rows(everything, statuses)
    backdrop = Backdrop(bands=times.bands, end=times.end)
    return Chart(
        "statuses",
        "Replies by status",
        statuses_words({name: sum(counts) for name, counts in statuses.items()}),
        stacks_spec(palette, entries, backdrop, title=RATE, unit="/s"),
        {"points": rows, "bands": times.bands},
        entries=entries,
        unit="/s",
        follows=True,
    )


def _failures(times: RunTimes, failures: list[dict[str, object]], palette: Palette) -> Chart:
    totals: Counter[str] = Counter()
    for row in failures:
        totals[str(row["series"])] += int(str(row["v"]))
    kinds = [kind for kind, _ in most_first(totals)]
    colors = dict(zip(sorted(kinds), palette.of_outcomes(sorted(kinds)), strict=True))
    entries = [ChartEntry(kind, colors[kind]) for kind in kinds]
    limits = lines_of(times.limits, ERRORS) if times.columns else []
    labels = dict.fromkeys(str(line["label"]) for line in limits)
    entries += [ChartEntry(label, palette.ink, is_dashed=True) for label in labels]
    rows = [*failures, *_allowed(times, limits)]
    backdrop = Backdrop(bands=times.bands, windows=windows_of(times.limits, ERRORS), end=times.end)
    is_measured = bool(times.columns and times.columns[0].failures)
    return Chart(
        ERRORS,
        "Failed requests",
        times.told(failures_words(totals, is_measured=is_measured), chart=ERRORS),
        stacks_spec(palette, entries, backdrop, title="failed", unit="whole"),
        {"points": rows, "bands": times.bands, "windows": backdrop.windows, "shares": limits},
        entries=tuple(entries),
        unit="whole",
        follows=True,
    )


def _failure_rows(times: RunTimes) -> Iterator[dict[str, object]]:
    """Yield a box for each interval and outcome; of old results, and the warm-up, by kind."""
    everything = times.columns[0] if times.columns else None
    if everything and everything.failures:
        for kind, counts in everything.failures.items():
            for second, count in zip(everything.seconds, counts, strict=True):
                if count:
                    begin = second - everything.every
                    yield {"from": begin, "t": second, "series": kind, "v": count}
        return
    for point in times.result.points:
        for kind, count in point.failures.items():
            name = "failed status" if kind == "status" else plain(kind)
            begin = point.second - point.seconds
            yield {"from": begin, "t": point.second, "series": name, "v": count}


def _allowed(times: RunTimes, limits: Rows) -> Iterator[dict[str, object]]:
    """Yield how many requests of each interval may fail by the limits of all requests."""
    for line in limits:
        if line["request"] == "":
            everything = times.columns[0]
            begin, end, share = (float(str(line[key])) for key in ("from", "to", "v"))
            for second, count in zip(everything.seconds, everything.requests, strict=True):
                if begin < second < end + everything.every:
                    yield {"t": second, "series": line["label"], "v": compact(share * count)}


def _ghost(times: RunTimes, series: str, word: str) -> list[dict[str, object]]:
    if not times.columns:
        return []
    before = times.columns[0].as_data()["before"]
    if not isinstance(before, Mapping):
        return []
    return [
        {"t": second, "series": series, "v": value}
        for second, value in zip(before["t"], before[word], strict=True)
        if value is not None and second <= times.end
    ]


def chart_data(rows: Rows, backdrop: Backdrop) -> Mapping[str, Rows]:
    """Return the data sets that specs of charts over time read."""
    return {
        "points": rows,
        "bands": backdrop.bands,
        "limits": backdrop.limits,
        "windows": backdrop.windows,
    }


def _status(name: str) -> str:
    return "no reply" if name == "0" else name
