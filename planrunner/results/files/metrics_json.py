"""metrics.json: a `RunResult` as a file, from which every report can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sized
from pathlib import Path
from typing import Any, Final, TextIO

from planrunner.errors import UsageError
from planrunner.formats import METRICS_JSON
from planrunner.language.files import FileFault, read_file
from planrunner.results.changes import EarlierPoints
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.codec import BadShape, decode, encode, schema_of
from planrunner.results.model import RunResult
from planrunner.results.record import PROGRESS_LATENCIES, RequestPoints

__all__ = [
    "SCHEMA_VERSION",
    "check_sound",
    "check_version",
    "from_json",
    "json_text",
    "metrics_schema",
    "read_json",
    "read_metrics",
    "to_json",
    "to_text",
    "write_metrics",
    "write_text",
]

SCHEMA_VERSION: Final = 1
"""Rises when a reader of the old files could be misled; a new field alone doesn't raise it."""

_MOST_BYTES: Final = 100_000_000
"""Of a file that is read: twenty times what a run of two hours writes."""

_SCHEMA_ID: Final = f"urn:planrunner:schema:metrics:{SCHEMA_VERSION}"


def to_json(result: RunResult) -> dict[str, object]:
    """Return the data of metrics.json, `totals` in front."""
    data: Any = encode(result)
    head = {"$schema": _SCHEMA_ID, "schema_version": SCHEMA_VERSION, "totals": data.pop("totals")}
    return {**head, **data}


def from_json(data: object, source: str = "metrics.json") -> RunResult:
    """Build the result that `to_json` described.

    Args:
        data: Parsed JSON.
        source: What messages call it.

    Raises:
        UsageError: It is of a newer planrunner, or no result at all.
    """
    check_version(data, source, METRICS_JSON, SCHEMA_VERSION)
    try:
        result: RunResult = decode(RunResult, data)
        check_sound(result)
    except BadShape as error:
        raise UsageError(f"`{source}` is broken: {error}") from error
    return result


def check_version(data: object, source: str, name: str, known: int) -> None:
    """Refuse a document that isn't one of ours, or is of a newer version.

    Raises:
        UsageError: It is.
    """
    version = data.get("schema_version") if isinstance(data, Mapping) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise UsageError(f"`{source}` is not a {name} of planrunner: it has no schema_version")
    if version > known:
        raise UsageError(
            f"`{source}` has schema_version {version}, but this planrunner reads up to {known}",
            hint="read it with the planrunner that wrote it, or a newer one",
        )


def to_text(result: RunResult) -> str:
    """Return the text of metrics.json; the same result always gives the same text."""
    return json_text(to_json(result))


def json_text(data: object) -> str:
    """Return JSON for people too: lists and objects of nothing but scalars take a single line."""
    return "".join(_laid_out(data, "\n")) + "\n"


def write_text(result: RunResult, out: TextIO) -> None:
    """Write the text of metrics.json to an open file."""
    out.write(to_text(result))


def _laid_out(value: object, newline: str) -> Iterator[str]:
    pairs: list[tuple[str, object]] = []
    if isinstance(value, dict):
        pairs = [(f"{_dump(key)}: ", item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [("", item) for item in value]
    if not any(isinstance(item, dict | list) for _, item in pairs):
        yield _dump(value)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = newline + "  "
    for n, (name, item) in enumerate(pairs):
        yield f"{',' if n else opening}{inner}{name}"
        yield from _laid_out(item, inner)
    yield newline + closing


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_metrics(result: RunResult, path: Path) -> None:
    """Write metrics.json, whole or not at all.

    Raises:
        CannotRun: It cannot be written.
    """
    with atomic_text_file(path) as file:
        file.write(to_text(result))


def read_metrics(path: Path) -> RunResult:
    """Read metrics.json.

    Raises:
        UsageError: There is none at `path`, or it cannot be understood.
    """
    return from_json(read_json(path, METRICS_JSON), str(path))


def read_json(path: Path, name: str) -> object:
    """Read a JSON document of ours; `name` is what it is.

    Raises:
        UsageError: There is none at `path`, or it isn't JSON.
    """
    try:
        text = read_file(path, most=_MOST_BYTES).decode("utf-8")
    except FileFault as fault:
        raise UsageError(f"cannot read `{path}`: it {fault.message}") from fault
    except UnicodeDecodeError as error:
        raise UsageError(f"`{path}` is not a {name} of planrunner: it isn't UTF-8") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}` is broken: it isn't JSON: {error}") from error


def metrics_schema() -> dict[str, Any]:
    """Return the JSON Schema of metrics.json (draft 2020-12)."""
    schema = schema_of(RunResult)
    head = {"$schema": {"const": _SCHEMA_ID}, "schema_version": {"const": SCHEMA_VERSION}}
    schema["properties"] = head | schema["properties"]
    schema["required"] = [*head, *schema["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _SCHEMA_ID,
        "title": "planrunner metrics.json",
        **schema,
    }


_LATENCIES: Final = ("min", "avg", "p50", "p90", "p95", "p99", "p99.9", "max")


def check_sound(result: RunResult) -> None:
    """Look for what a hand that edited the file may have left out.

    Raises:
        BadShape: A list lacks values that those beside it have, or an object lacks a name.
    """
    for place, found, wanted in _objects(result):
        for name in wanted:
            if name not in found:
                raise BadShape(f"{place}.{name} is missing")
    for place, values, beside in _columns(result):
        if len(values) != len(beside):
            raise BadShape(f"{place} has {len(values)} values where `seconds` has {len(beside)}")
    for place, length in _lengths(result):
        if length < 1:
            raise BadShape(f"{place} is less than 1")


def _objects(result: RunResult) -> Iterator[tuple[str, Mapping[str, object], tuple[str, ...]]]:
    for n, row in enumerate(result.rows):
        yield f"$.rows[{n}].latency_ns", row.latency_ns, _LATENCIES
        if row.service_ns:  # nobody may know them
            yield f"$.rows[{n}].service_ns", row.service_ns, _LATENCIES
    for n, progress in enumerate(result.progress):
        yield f"$.progress[{n}].latency_ns", progress.latency_ns, PROGRESS_LATENCIES


def _columns(result: RunResult) -> Iterator[tuple[str, Sized, Sized]]:
    for n, points in enumerate(result.request_points):
        place = f"$.request_points[{n}]"
        for name in ("requests", "failed", "p50_ns", "p95_ns", "p99_ns"):
            yield f"{place}.{name}", getattr(points, name), points.seconds
        for name in ("statuses", "failures"):
            for outcome, counts in getattr(points, name).items():
                yield f"{place}.{name}.{outcome}", counts, points.seconds
        yield from _optional_columns(points, place)
    for place, before in _earlier(result):
        for name in ("requests", "p95_ns"):
            yield f"{place}.{name}", getattr(before, name), before.seconds
    yield from _progress_columns(result)
    for n, track in enumerate(result.tracks):
        yield f"$.tracks[{n}].values", track.values, track.seconds


def _optional_columns(points: RequestPoints, place: str) -> Iterator[tuple[str, Sized, Sized]]:
    """Yield what only some requests have; it may be empty."""
    for name in ("asked", "broken", "work"):
        if values := getattr(points, name):
            yield f"{place}.{name}", values, points.seconds
    for name, metric in points.metrics.items():
        yield f"{place}.metrics.{name}.values", metric.values, points.seconds
        yield f"{place}.metrics.{name}.total", metric.total, points.seconds


def _progress_columns(result: RunResult) -> Iterator[tuple[str, Sized, Sized]]:
    for n, progress in enumerate(result.progress):
        place = f"$.progress[{n}]"
        for name in ("users", "requests", "failed", "received_bytes"):
            yield f"{place}.{name}", getattr(progress, name), progress.seconds
        for name, values in progress.latency_ns.items():
            yield f"{place}.latency_ns.{name}", values, progress.seconds


def _earlier(result: RunResult) -> Iterator[tuple[str, EarlierPoints]]:
    for n, earlier in enumerate(result.earlier):
        for k, points in enumerate(earlier.points):
            yield f"$.earlier[{n}].points[{k}]", points


def _lengths(result: RunResult) -> Iterator[tuple[str, int]]:
    for n, points in enumerate(result.request_points):
        yield f"$.request_points[{n}].interval_seconds", points.interval_seconds
    for n, progress in enumerate(result.progress):
        yield f"$.progress[{n}].interval_seconds", progress.interval_seconds
    for place, before in _earlier(result):
        yield f"{place}.interval_seconds", before.interval_seconds
    for n, point in enumerate(result.points):
        yield f"$.points[{n}].seconds", point.seconds
