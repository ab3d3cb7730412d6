"""results.parquet: the columns of results.csv with types, streamed in row groups."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from planrunner.metrics.measures import OWN_PREFIX, SERVICE_TIME, WORK
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.metrics.series import Labels
from planrunner.protocols.registry import spoken
from planrunner.report.formats.samples.line_columns import without_surrogates
from planrunner.report.formats.samples.results_csv import CSV_COLUMNS, tags_text
from planrunner.report.formats.samples.row_columns import row_columns
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.sample_values import WholeSample
from planrunner.results.files.samples import SampleRow
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S, NS_PER_US

__all__ = ["write_results_parquet"]

_GROUP: Final = 65_536
"""Samples of a row group: their numbers are in memory at once."""

_OF_SERIES: Final[Mapping[str, Callable[[Labels], str]]] = {
    "endpoint": lambda labels: labels.request,
    "method": lambda labels: labels.method,
    "status_code": lambda labels: labels.status_text,
    "phase": lambda labels: labels.phase,
    "stage": lambda labels: labels.stage,
    "user": lambda labels: labels.user,
    "task": lambda labels: labels.task,
    "tags": tags_text,
    "kind": lambda labels: labels.failure,
    "protocol": lambda labels: labels.spoken or spoken(labels.protocol),
}
"""Columns that all samples of a series share; who wrote it, `worker`, is one more."""

_WHETHER: Final[Mapping[str, Callable[[Labels], bool]]] = {
    "success": lambda labels: not labels.failure,
    "warmup": lambda labels: labels.warmup,
    "after": lambda labels: labels.after,
}
"""Those of them that are true or false."""

_UNTOLD: Final = {
    "response_size": "received",
    "service_time": SERVICE_TIME.word,
    "connect": "connects",
}
"""Columns with nothing in them for series whose `unknown` has the word: another tool's."""

_SECONDS: Final = {
    "response_time": "latency_ns",
    "service_time": "service_ns",
    "ttfb": "ttfb_ns",
    "connect": "connect_ns",
}
"""Columns of seconds, each with the field of a sample that it is made of."""

_MOMENT: Final = "timestamp"
_DIFFERING: Final = frozenset({_MOMENT, "response_time", "service_time", "ttfb"})
"""Columns with another value in each row, nearly."""

_TOLD_OF_GROUPS: Final = (_MOMENT, "response_time")
"""Columns whose least and greatest a row group has: of others, each group holds nearly all."""


def write_results_parquet(_: RunResult, samples: SampleReader, out: BinaryIO) -> None:
    """Write results.parquet, with the rows and columns of results.csv.

    Times are seconds, and `timestamp` is a time in UTC. `ttfb` is null where no byte of a reply
    came. Texts are as they were: nothing is escaped for spreadsheets. Work and metrics are numbers,
    true is 1; they are null where a sample has none, as sizes and times are that another tool does
    not tell, and as `first_event` and `events` are where a reply isn't read piece by piece.
    """
    import pyarrow.parquet  # noqa: PLC0415 - 180 MB that only this report needs

    columns = _SampleColumns(samples)
    # Times differ from sample to sample: looking them up takes as long as all else, and more room.
    with pyarrow.parquet.ParquetWriter(
        out,
        columns.schema,
        store_schema=False,  # or texts would be read as dictionaries, as which they are written
        use_dictionary=[name for name in columns.schema.names if name not in _DIFFERING],
        column_encoding={_MOMENT: "DELTA_BINARY_PACKED"},
        write_statistics=[*_TOLD_OF_GROUPS],
    ) as writer:
        for table in columns.tables(samples):
            writer.write_table(table, _GROUP)


def _groups(samples: SampleReader) -> Iterator[Sequence[WholeSample]]:
    """Yield samples, as many as a row group has."""
    each = samples.with_values()
    while group := tuple(islice(each, _GROUP)):
        yield group


class _SampleColumns:
    """Makes columns of samples; what the samples of a series share is looked up in C."""

    def __init__(self, samples: SampleReader) -> None:
        import pyarrow as pa  # noqa: PLC0415 - as above
        import pyarrow.compute  # noqa: PLC0415 - as above

        self._pa: Any = pa
        self._started_unix_ns = samples.started_unix_ns
        labels = {index: one for index, one in samples.labels.items() if one.measured}
        # Those whose samples are written: what is no result by the plan's word is not.
        self._series = pa.array(labels, pa.int64())
        self._shared = {
            name: self._coded(map(of, labels.values())) for name, of in _OF_SERIES.items()
        }
        for name, is_so in _WHETHER.items():
            whether = pa.array([is_so(one) for one in labels.values()], pa.bool_())
            self._shared[name] = _Shared(pa, whether)
        workers = pa.array([samples.workers[index] for index in labels], pa.int64())
        self._shared["worker"] = _Shared(pa, workers)
        self._untold = {
            name: pa.array([word in one.unknown for one in labels.values()], pa.bool_())
            for name, word in _UNTOLD.items()
            if any(word in one.unknown for one in labels.values())
        }
        own = (word for word in samples.recorded if word.startswith(OWN_PREFIX))
        self._recorded = (WORK.word, *own)
        self._records = {index: one.records for index, one in labels.items()}
        self._names = (*CSV_COLUMNS, *self._recorded[1:])
        self._numbers = pa.array(samples.messages, pa.int64())
        self._messages = self._coded(samples.messages.values())
        others = {
            _MOMENT: pa.timestamp("us", "UTC"),
            "response_size": pa.int64(),
            "error_message": self._messages.type,
            "first_event": pa.float64(),
            "events": pa.int64(),
            **dict.fromkeys([*_SECONDS, *self._recorded], pa.float64()),
        }
        types = others | {name: values.type for name, values in self._shared.items()}
        may_lack = {"ttfb", "first_event", "events", *self._recorded, *self._untold}
        self.schema = pa.schema(
            [pa.field(name, types[name], nullable=name in may_lack) for name in self._names]
        )

    def tables(self, samples: SampleReader) -> Iterator[Any]:
        """Yield the table of each row group."""
        if not samples.has_values:
            yield from map(self._table, row_columns(samples))
            return
        for group in _groups(samples):
            yield self._table(self._fields(group))

    def _coded(self, texts: Iterable[str]) -> _Shared:
        """Return texts as numbers of different texts, as which Parquet keeps them."""
        pa = self._pa
        values = pa.array([*map(without_surrogates, texts)], pa.string())
        return _Shared(pa, values.dictionary_encode())

    def _fields(self, samples: Sequence[WholeSample]) -> Any:  # noqa: ANN401 - pyarrow has no types
        columns = zip(*[row for row, *_ in samples], strict=True)
        arrays = [_integers(self._pa, column) for column in columns]
        beside = self._beside(samples)
        return self._pa.table([*arrays, *beside.values()], [*SampleRow._fields, *beside])

    def _beside(self, samples: Sequence[WholeSample]) -> Mapping[str, Any]:
        """Return the columns of what samples have beside their rows."""
        pa = self._pa
        streams = [stream or (0, None) for _, _, stream, _ in samples]
        firsts_s = [first_ns / NS_PER_S if events else None for first_ns, events in streams]
        return {
            "first_event": pa.array(firsts_s, pa.float64()),
            "events": pa.array([events for _, events in streams], pa.int64()),
            **{word: self._values(word, samples) for word in self._recorded},
        }

    def _table(self, fields: Any) -> Any:  # noqa: ANN401 - as above
        """Return the columns of samples, given their fields, and what they have beside these."""
        pa, pc = self._pa, self._pa.compute
        places = pc.index_in(fields["series"], self._series)
        if places.null_count:
            fields, places = fields.filter(pc.is_valid(places)), places.drop_null()
        count = len(fields)
        found = {name: values.take(places) for name, values in self._shared.items()}
        found[_MOMENT] = self._moments(fields["start_ns"])
        found["response_size"] = fields["body_bytes"]
        found["error_message"] = self._messages.take(pc.index_in(fields["message"], self._numbers))
        for name, field in _SECONDS.items():
            found[name] = pc.divide(fields[field].cast(pa.float64()), NS_PER_S)
        began = pc.not_equal(fields["ttfb_ns"], 0)
        found["ttfb"] = pc.if_else(began, found["ttfb"], None)
        for name in ("first_event", "events", *self._recorded):
            has_any = name in fields.column_names
            found[name] = fields[name] if has_any else pa.nulls(count, self.schema.field(name).type)
        for name, untold in self._untold.items():
            found[name] = pc.if_else(untold.take(places), None, found[name])
        return pa.table([found[name] for name in self._names], schema=self.schema)

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
            place = places.get(row[0], -1)
            has_one = 0 <= place < len(values)
            found.append(values[place][0] / MILLIONTHS if has_one else None)
        return self._pa.array(found, self._pa.float64())

    def _moments(self, starts_ns: Any) -> Any:  # noqa: ANN401 - as above
        pc = self._pa.compute
        began_us, rest_ns = divmod(self._started_unix_ns, NS_PER_US)
        moments = pc.add(pc.divide(pc.add(starts_ns, rest_ns), NS_PER_US), began_us)
        return moments.cast(self._pa.timestamp("us", "UTC"))


class _Shared:
    """What samples share that have the same place in a column."""

    def __init__(self, pa: Any, values: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        self._pa = pa
        self._values = values
        self._is_same = len(values.unique()) == 1
        self._repeated = values[:0]
        self.type = values.type

    def take(self, places: Any) -> Any:  # noqa: ANN401 - as above
        """Return the value of each place."""
        if not self._is_same:
            return self._values.take(places)
        if len(self._repeated) < len(places):  # most groups are of the same length
            self._repeated = self._values.take(self._pa.repeat(0, len(places)))
        return self._repeated[: len(places)]


def _integers(pa: Any, values: Sequence[int]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return whole numbers as a column, without looking at each as an object once more."""
    buffer = pa.py_buffer(array("q", values))
    return pa.Array.from_buffers(pa.int64(), len(values), [None, buffer])
