"""results.parquet: the columns of results.csv with types, streamed in row groups."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from planrunner.metrics.measures import OWN_PREFIX, SERVICE_TIME, WORK
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.metrics.series import Labels
from planrunner.protocols.registry import spoken
from planrunner.report.formats.samples.results_csv import CSV_COLUMNS, tags_text
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.sample_values import WholeSample
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S, NS_PER_US

__all__ = ["write_results_parquet"]

_GROUP: Final = 65_536
"""Samples of a row group: their numbers are in memory at once."""

_OF_SERIES: Final[Mapping[str, Callable[[Labels], str | bool]]] = {
    "endpoint": lambda labels: labels.request,
    "method": lambda labels: labels.method,
    "status_code": lambda labels: labels.status_text,
    "success": lambda labels: not labels.failure,
    "phase": lambda labels: labels.phase,
    "stage": lambda labels: labels.stage,
    "user": lambda labels: labels.user,
    "task": lambda labels: labels.task,
    "tags": tags_text,
    "warmup": lambda labels: labels.warmup,
    "kind": lambda labels: labels.failure,
    "protocol": lambda labels: labels.spoken or spoken(labels.protocol),
    "after": lambda labels: labels.after,
}
"""Columns that all samples of a series share; who wrote it, `worker`, is one more."""

_FIELDS: Final = (
    "series",
    "timestamp",
    "response_time",
    "service_time",
    "ttfb",
    "connect",
    "response_size",
    "error_message",
)
"""The fields of a sample, in their order, each with the column that is made of it."""

_UNTOLD: Final = {
    "response_size": "received",
    "service_time": SERVICE_TIME.word,
    "connect": "connects",
}
"""Columns with nothing in them for series whose `unknown` has the word: another tool's."""

_SECONDS: Final = ("response_time", "service_time", "ttfb", "connect")


def write_results_parquet(_: RunResult, samples: SampleReader, out: BinaryIO) -> None:
    """Write results.parquet, with the rows and columns of results.csv.

    Times are seconds, and `timestamp` is a time in UTC. `ttfb` is null where no byte of a reply
    came. Texts are as they were: nothing is escaped for spreadsheets. Work and metrics are numbers,
    true is 1; they are null where a sample has none, as sizes and times are that another tool does
    not tell, and as `first_event` and `events` are where a reply isn't read piece by piece.
    """
    import pyarrow.parquet  # noqa: PLC0415 - 180 MB that only this report needs

    columns = _SampleColumns(samples)
    with pyarrow.parquet.ParquetWriter(out, columns.schema) as writer:
        for group in _groups(samples, columns.kept):
            writer.write_table(columns.table(group))


def _groups(samples: SampleReader, kept: frozenset[int]) -> Iterator[Sequence[WholeSample]]:
    """Yield samples of measured series, as many as a row group has."""
    pairs = (pair for pair in samples.with_values() if pair[0][0] in kept)
    while group := tuple(islice(pairs, _GROUP)):
        yield group


class _SampleColumns:
    """Makes columns of samples; what the samples of a series share is looked up in C.

    Attributes:
        kept: The series whose samples are written: what is no result by the plan's word is not.
    """

    def __init__(self, samples: SampleReader) -> None:
        import pyarrow as pa  # noqa: PLC0415 - as above
        import pyarrow.compute  # noqa: PLC0415 - as above

        self._pa: Any = pa
        self._started_unix_ns = samples.started_unix_ns
        labels = {index: one for index, one in samples.labels.items() if one.measured}
        self.kept = frozenset(labels)
        self._place = {index: place for place, index in enumerate(labels)}
        self._shared = {
            name: pa.array(
                [_clean(of(one)) for one in labels.values()],
                pa.bool_() if name in ("success", "warmup", "after") else pa.string(),
            )
            for name, of in _OF_SERIES.items()
        }
        self._shared["worker"] = pa.array([samples.workers[index] for index in labels], pa.int64())
        self._untold = {
            name: pa.array([word in one.unknown for one in labels.values()], pa.bool_())
            for name, word in _UNTOLD.items()
            if any(word in one.unknown for one in labels.values())
        }
        own = (word for word in samples.recorded if word.startswith(OWN_PREFIX))
        self._recorded = (WORK.word, *own)
        self._records = {index: one.records for index, one in labels.items()}
        self._names = (*CSV_COLUMNS, *self._recorded[1:])
        self._messages = {number: _clean(text) for number, text in samples.messages.items()}
        others = {
            "timestamp": pa.timestamp("us", "UTC"),
            "response_size": pa.int64(),
            "error_message": pa.string(),
            "first_event": pa.float64(),
            "events": pa.int64(),
            **dict.fromkeys((*_SECONDS, *self._recorded), pa.float64()),
        }
        types = others | {name: values.type for name, values in self._shared.items()}
        self.schema = pa.schema([(name, types[name]) for name in self._names])

    def table(self, samples: Sequence[WholeSample]) -> Any:  # noqa: ANN401 - pyarrow has no types
        """Return the table of some samples."""
        pa = self._pa
        rows = [row for row, *_ in samples]
        fields = dict(zip(_FIELDS, zip(*rows, strict=True), strict=True))
        places = pa.array([self._place[series] for series in fields["series"]], pa.int32())
        found = {name: values.take(places) for name, values in self._shared.items()}
        found["timestamp"] = self._moments(fields["timestamp"])
        found["response_size"] = _integers(pa, fields["response_size"])
        found["error_message"] = pa.array(
            [self._messages[number] for number in fields["error_message"]], pa.string()
        )
        for name in _SECONDS:
            found[name] = self._seconds(fields[name], with_null=name == "ttfb")
        streams = [stream or (0, None) for _, _, stream, _ in samples]
        firsts_s = [first_ns / NS_PER_S if events else None for first_ns, events in streams]
        found["first_event"] = pa.array(firsts_s, pa.float64())
        found["events"] = pa.array([events for _, events in streams], pa.int64())
        for word in self._recorded:
            found[word] = self._values(word, samples)
        for name, untold in self._untold.items():
            found[name] = pa.compute.if_else(untold.take(places), None, found[name])
        return pa.Table.from_arrays([found[name] for name in self._names], schema=self.schema)

    def _values(self, word: str, samples: Sequence[WholeSample]) -> Any:  # noqa: ANN401 - as above
        """Return what expressions of the plan gave of each sample."""
        if not any(word in records for records in self._records.values()):
            return self._pa.nulls(len(samples), self._pa.float64())
        places = {
            index: records.index(word) if word in records else -1
            for index, records in self._records.items()
        }
        found = []
        for row, values, *_ in samples:
            place = places[row[0]]
            has_one = 0 <= place < len(values)
            found.append(values[place][0] / MILLIONTHS if has_one else None)
        return self._pa.array(found, self._pa.float64())

    def _moments(self, starts_ns: Sequence[int]) -> Any:  # noqa: ANN401 - as above
        began_ns = self._started_unix_ns
        moments = _integers(self._pa, [(began_ns + ns) // NS_PER_US for ns in starts_ns])
        return moments.cast(self._pa.timestamp("us", "UTC"))

    def _seconds(self, times_ns: Sequence[int], *, with_null: bool) -> Any:  # noqa: ANN401 - as above
        seconds = [ns / NS_PER_S if ns or not with_null else None for ns in times_ns]
        return self._pa.array(seconds, self._pa.float64())


def _integers(pa: Any, values: Sequence[int]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return whole numbers as a column, without looking at each as an object once more."""
    buffer = pa.py_buffer(array("q", values))
    return pa.Array.from_buffers(pa.int64(), len(values), [None, buffer])


def _clean(value: str | bool) -> str | bool:  # noqa: FBT001 - a value of a column
    """Return a text without half surrogate pairs, which files can't have; as results.csv does."""
    if isinstance(value, bool):
        return value
    return value.encode("utf-8", "backslashreplace").decode()
