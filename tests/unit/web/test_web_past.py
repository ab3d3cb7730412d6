"""The past of a run as columns."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.units import NS_PER_MS
from planrunner.web.live.interval import interval_of, percentiles_ms
from planrunner.web.live.past import MOST_COLUMNS, LivePast
from tests.support.web_pages import second


def past_of(seconds: list[dict[str, list[int]]]) -> tuple[LivePast, list[int]]:
    """Return the past of a run and after which of its seconds all columns had changed."""
    past, folds = LivePast(), []
    for number, latencies in enumerate(seconds, start=1):
        interval = interval_of(second(number, latencies), asked=(10.0, None), thresholds=[1.5])
        if past.add(interval):
            folds.append(number)
    return past, folds


class TestPast:
    """Few columns, whose figures are those of all their samples."""

    def test_a_long_run_has_few_columns(self) -> None:
        """Of 600 s each second, of 1,200 s pairs, and so on; nothing is lost."""
        past, folds = past_of([{"GET /": [number % 7 + 1]} for number in range(1300)])

        columns = past.as_json()

        assert folds == [601, 1201]
        assert columns["step"] == 4
        assert columns["t"] == list(range(4, 1301, 4))
        assert columns["requests"] == [4] * 325
        assert columns["by_request"]["GET /"]["requests"] == [4] * 325
        assert past.at == len(columns["t"]) - 1 < MOST_COLUMNS

    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(["GET /a", "GET /b"]),
                st.lists(st.integers(1, 5000), min_size=1, max_size=4),
            ),
            min_size=5,
            max_size=9,
        )
    )
    @settings(max_examples=5)
    def test_percentiles_are_of_all_samples_of_an_interval(
        self, some: list[dict[str, list[int]]]
    ) -> None:
        """And not of the percentiles of its parts."""
        seconds = [*some, *([{}] * (MOST_COLUMNS - len(some))), *some]
        past, _ = past_of(seconds)

        columns = past.as_json()

        pairs = [seconds[at : at + 2] for at in range(0, len(seconds), 2)]
        for name in ("GET /a", "GET /b"):
            whole = [[ms for one in pair for ms in one.get(name, [])] for pair in pairs]
            figures = [percentiles_ms(Histogram([ms * NS_PER_MS for ms in one])) for one in whole]
            found = columns["by_request"].get(name, {})
            assert found.get("requests", [0] * len(pairs)) == list(map(len, whole))
            assert found.get("p95", [None] * len(pairs)) == [p95 for _, p95, _ in figures]

    def test_names_without_number_share_no_columns(self) -> None:
        """A plan that makes up names costs no more than one with a hundred."""
        past, _ = past_of([{f"GET /{number}": [1]} for number in range(150)])

        columns = past.as_json()

        assert len(columns["by_request"]) == 100
        assert sum(columns["requests"]) == 150
