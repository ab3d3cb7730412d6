"""Lines of results.csv made by Arrow, of many samples at once: columns of text, joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from planrunner.units import NS_PER_S, NS_PER_US

__all__ = [
    "MOMENT",
    "NOTHING",
    "NUMBER",
    "SECONDS",
    "TEXT",
    "LineColumns",
    "moment_text",
    "without_surrogates",
]

MOMENT: Final = "%s.%06dZ"
TEXT: Final = "%s"
NUMBER: Final = "%d"
SECONDS: Final = "%.6f"
NOTHING: Final = "%.0s"
"""Takes a value, and writes nothing."""

_HOLES: Final = (MOMENT, TEXT, NUMBER, SECONDS, NOTHING)

_COLUMNS: Final = (
    "start_ns",
    "latency_ns",
    "message",
    "body_bytes",
    "service_ns",
    "ttfb_ns",
    "connect_ns",
)
"""What fills the holes of a line, in their order."""

_MOST_BYTES: Final = 1 << 30
"""Of the texts of a column of Arrow, which can have twice as many."""

_NUMBERS_BYTES: Final = 200
"""Of a line, at most."""

_THOUSAND: Final = 1_000
_MILLION: Final = 1_000_000

_HALF_A_MICROSECOND_NS: Final = 500


def moment_text(unix_second: int) -> str:
    """Return a second as text, in UTC."""
    return datetime.fromtimestamp(unix_second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class LineColumns:
    """Makes the lines that `%` makes of each sample.

    Args:
        started_unix_ns: When the run started, since 1970 in UTC.
        cells: The `%` format of each cell of a line, by series; others are left out.
        messages: The text of each message, by its number.
    """

    def __init__(
        self, started_unix_ns: int, cells: Mapping[int, Sequence[str]], messages: Mapping[int, str]
    ) -> None:
        import pyarrow as pa  # noqa: PLC0415 - 180 MB that only this needs
        import pyarrow.compute  # noqa: PLC0415 - as above

        self._pa: Any = pa
        self._pc: Any = pyarrow.compute
        self._started_us, self._rest_ns = divmod(started_unix_ns, NS_PER_US)
        self._series = pa.array(cells, pa.int64())
        self._numbers = pa.array(messages, pa.int64())
        self._messages = pa.array([*map(without_surrogates, messages.values())], pa.string())
        lines = [_taken_apart(of_series) for of_series in cells.values()]
        self._between = [
            pa.array([texts[n] for texts, _ in lines], pa.string())
            for n in range(len(_COLUMNS) + 1)
        ]
        self._untold = {
            name: pa.array([holes[n] == NOTHING for _, holes in lines], pa.bool_())
            for n, name in enumerate(_COLUMNS)
            if any(holes[n] == NOTHING for _, holes in lines)
        }
        texts = max((sum(map(len, texts)) for texts, _ in lines), default=0)
        self._longest = 4 * (texts + max(map(len, messages.values()), default=0)) + _NUMBERS_BYTES
        self._fractions = self._all_fractions()

    def _all_fractions(self) -> Any:  # noqa: ANN401 - pyarrow has no types
        """Return `.000000` to `.999999`: one text to look up and to join, where two took longer."""
        pa, pc = self._pa, self._pc
        digits = [f"{n:03}" for n in range(_THOUSAND)]
        before = pa.concat_arrays([pa.repeat(f".{three}", _THOUSAND) for three in digits])
        after = pa.concat_arrays([pa.array(digits)] * _THOUSAND)
        return pc.binary_join_element_wise(before, after, "")

    def text(self, samples: Any) -> tuple[bytes | memoryview, int]:  # noqa: ANN401 - pyarrow has no types
        """Return the lines of a table of samples in UTF-8, and how many."""
        if len(samples) > 1 and len(samples) * self._longest > _MOST_BYTES:
            half = len(samples) // 2
            parts = [self.text(part) for part in (samples[:half], samples[half:])]
            return b"".join(text for text, _ in parts), sum(count for _, count in parts)
        return self._text(samples)

    def _text(self, samples: Any) -> tuple[memoryview, int]:  # noqa: ANN401 - as above
        pc = self._pc
        places = pc.index_in(samples["series"], self._series)
        if places.null_count:
            samples, places = samples.filter(pc.is_valid(places)), places.drop_null()
        columns = {name: samples[name].combine_chunks() for name in _COLUMNS}
        places = places.combine_chunks()
        same: dict[str, list[Any]] = {}
        pieces: list[Any] = []
        around = self._between[0]
        for name, after in zip(_COLUMNS, self._between[1:], strict=True):
            if _is_same(pc, columns[name]):
                around = self._with_one(name, columns[name][:1], around, after)
                continue
            if name == "service_ns" and columns[name].equals(columns["latency_ns"]):
                filled = same["latency_ns"]
            else:
                filled = same[name] = self._filled(name, columns[name])
            if name in self._untold:
                untold = self._untold[name].take(places)
                filled = [pc.if_else(untold, "", piece) for piece in filled]
            first, *others = filled
            if isinstance(first, str):
                around, filled = pc.binary_join_element_wise(around, first, ""), others
            pieces += [around.take(places), *filled]
            around = after
        lines = pc.binary_join_element_wise(*pieces, around.take(places), "")
        return _whole(lines), len(lines)

    def _with_one(self, name: str, value: Any, before: Any, after: Any) -> Any:  # noqa: ANN401 - as above
        """Return the texts before and after a hole joined by what fills it in all rows.

        Most columns of a quiet run are such: no message, no time to connect, the same body.
        """
        pc = self._pc
        pieces = self._filled(name, value)
        text = "".join(piece if isinstance(piece, str) else piece[0].as_py() for piece in pieces)
        told = pc.if_else(self._untold[name], "", text) if name in self._untold else text
        return pc.binary_join_element_wise(before, told, after, "")

    def _filled(self, name: str, values: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Return what fills one of the holes: texts that follow each other."""
        pc = self._pc
        if name == "start_ns":
            return self._moments(values)
        if name == "message":
            return [self._messages.take(pc.index_in(values, self._numbers))]
        if name == "body_bytes":
            return [values.cast(self._pa.string())]
        pieces = self._in_seconds(values)
        if name == "ttfb_ns":
            began = pc.not_equal(values, 0)
            if not pc.all(began).as_py():
                return [pc.if_else(began, piece, "") for piece in pieces]
        return pieces

    def _moments(self, starts_ns: Any) -> list[Any]:  # noqa: ANN401 - as above
        pc = self._pc
        us = pc.add(pc.divide(pc.add(starts_ns, self._rest_ns), NS_PER_US), self._started_us)
        seconds, fractions = self._cut(us)
        coded = seconds.dictionary_encode()
        texts = [*map(moment_text, coded.dictionary.to_pylist())]
        return [self._pa.array(texts, self._pa.string()).take(coded.indices), fractions]

    def _in_seconds(self, times_ns: Any) -> list[Any]:  # noqa: ANN401 - as above
        pc = self._pc
        us = pc.divide(pc.add(times_ns, _HALF_A_MICROSECOND_NS), NS_PER_US)
        between = pc.equal(pc.subtract(pc.multiply(us, NS_PER_US), times_ns), NS_PER_US // 2)
        if pc.any(between).as_py():
            # Neither is nearer: it depends on which float the seconds are.
            halves = pc.filter(times_ns, between).to_pylist()
            rounded = [int(f"{ns / NS_PER_S:.6f}".replace(".", "")) for ns in halves]
            us = pc.replace_with_mask(us, between, self._pa.array(rounded, self._pa.int64()))
        if (pc.max(us).as_py() or 0) < _MILLION:
            return ["0", self._fractions.take(us)]
        seconds, fractions = self._cut(us)
        return [seconds.cast(self._pa.string()), fractions]

    def _cut(self, numbers: Any) -> tuple[Any, Any]:  # noqa: ANN401 - as above
        """Return the millions, and a point with the other six digits as texts."""
        pc = self._pc
        millions = pc.divide(numbers, _MILLION)
        others = pc.subtract(numbers, pc.multiply(millions, _MILLION))
        return millions, self._fractions.take(others)


def _is_same(pc: Any, values: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Return whether a column has one value in all rows."""
    ends = pc.min_max(values)
    return bool(len(values)) and ends["min"] == ends["max"]


def without_surrogates(text: str) -> str:
    """Return a text without halves of surrogate pairs, which files can't have, as text files do."""
    return text.encode("utf-8", "backslashreplace").decode()


def _taken_apart(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the texts around the holes of a line, and the holes."""
    texts, holes = [""], []
    for n, cell in enumerate(cells):
        texts[-1] += "," if n else ""
        if cell in _HOLES:
            holes.append(cell)
            texts.append("Z" if cell == MOMENT else "")
        else:
            texts[-1] += cell.replace("%%", "%")
    texts[-1] += "\n"
    return [*map(without_surrogates, texts)], holes


def _whole(lines: Any) -> memoryview:  # noqa: ANN401 - pyarrow has no types
    """Return all texts of a column as one, as which they lie in memory."""
    _, offsets, data = lines.buffers()
    places = memoryview(offsets).cast("i")
    begin, end = places[lines.offset], places[lines.offset + len(lines)]
    return memoryview(data)[begin:end]
