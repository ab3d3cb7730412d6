"""The past of a run as columns."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.units import NS_PER_MS
from planrunner.web.live.interval import interval_of, percentiles_ms
from planrunner.web.live.past import LivePast
from tests.support.web_pages import second

LIMIT = 6
Seconds = dict[int, dict[str, list[int]]]


def past_of(seconds: Seconds, limit: int = LIMIT) -> tuple[LivePast, list[int]]:
    """Return the past of a run and after which of its seconds all columns had changed."""
    past, folds = LivePast(limit), []
    for number, latencies in seconds.items():
        interval = interval_of(second(number, latencies), asked=(10.0, None), thresholds=[1.5])
        if past.add(interval):
            folds.append(number)
    return past, folds


class TestPast:
    """Few columns, whose figures are those of all their samples."""

    def test_a_long_run_has_few_columns(self) -> None:
        """Of 6 s each second, of 12 s pairs, and so on; nothing is lost."""
        past, folds = past_of({number: {"GET /": [number % 7 + 1]} for number in range(1, 25)})

        columns = past.as_json()

        assert folds == [7, 13]
        assert columns["step"] == 4
        assert columns["t"] == [4, 8, 12, 16, 20, 24]
        assert columns["requests"] == [4] * 6
        assert columns["by_request"]["GET /"]["requests"] == [4] * 6
        assert past.at == 5

    @given(
        st.dictionaries(
            st.integers(1, 40),
            st.dictionaries(
                st.sampled_from(["GET /a", "GET /b"]),
                st.lists(st.integers(1, 5000), min_size=1, max_size=4),
                min_size=1,
            ),
            min_size=1,
            max_size=20,
        )
    )
    @settings(max_examples=30)
    def test_percentiles_are_of_all_samples_of_an_interval(self, some: Seconds) -> None:
        """And not of the percentiles of its parts, whichever seconds never reached the page."""
        seconds = dict(sorted(some.items()))
        past, _ = past_of(seconds)

        columns = past.as_json()

        ends, step = columns["t"], columns["step"]
        assert len(ends) <= LIMIT
        for name, found in columns["by_request"].items():
            whole = [_within(seconds, end, step, name) for end in ends]
            figures = [percentiles_ms(Histogram([ms * NS_PER_MS for ms in one])) for one in whole]
            assert found["requests"] == list(map(len, whole))
            assert found["p95"] == [p95 for _, p95, _ in figures]
        assert sum(columns["requests"]) == sum(
            len(values) for one in seconds.values() for values in one.values()
        )

    def test_names_without_number_share_no_columns(self) -> None:
        """A plan that makes up names costs no more than one with a hundred."""
        past, _ = past_of({number: {f"GET /{number}": [1]} for number in range(1, 151)}, limit=200)

        columns = past.as_json()

        assert len(columns["by_request"]) == 100
        assert sum(columns["requests"]) == 150


def _within(seconds: Seconds, end: int, step: int, name: str) -> list[int]:
    """Return the latencies of a request in the interval around a second."""
    begin = (end - 1) // step * step
    return [
        ms
        for number, one in seconds.items()
        if begin < number <= begin + step
        for ms in one.get(name, [])
    ]
