from __future__ import annotations

from planrunner.metrics.book import OVERFLOW_NAME, SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.limited_words import OTHER
from planrunner.metrics.series import Labels


def labels(request="GET /", **others):
    return Labels(request, "GET", "main", "hold", "Visitor", "browse", **others)


def test_equal_labels_share_one_series():
    """Whoever asks for the same labels writes to the same lists."""
    book = SeriesBook()

    first, again, other = (
        book.series(labels()),
        book.series(labels()),
        book.series(labels(status=500)),
    )

    assert first is again
    assert [series.index for series in book.opened] == [first.index, other.index] == [0, 1]


def test_a_drain_gives_what_came_since_the_last_one():
    """Each sample is in exactly one snapshot."""
    book = SeriesBook(start_ns=100)
    series = book.series(labels())
    append = series.same_ns.append

    append(5)
    append(7)
    series.received += 10
    first = book.drain(200, {"Visitor": 1})
    append(9)
    second = book.drain(300, {"Visitor": 2})
    third = book.drain(400, {})

    assert (first.start_ns, first.end_ns, first.users) == (100, 200, {"Visitor": 1})
    assert first.deltas[labels()].latency == Histogram([5, 7])
    assert first.deltas[labels()].received == 10
    assert (second.start_ns, second.end_ns) == (200, 300)
    assert second.deltas[labels()].latency == Histogram([9])
    assert second.deltas[labels()].received == 0
    assert third.deltas == {}


def test_samples_with_two_times_keep_them_apart():
    """Latency counts from the intended start, service time from the send."""
    book = SeriesBook()
    series = book.series(labels())
    series.same_ns.append(5)
    series.latency_ns.append(100)
    series.service_ns.append(40)

    delta = book.drain(1, {}).deltas[labels()]

    assert delta.latency == Histogram([5, 100])
    assert delta.service == Histogram([5, 40])


def test_equal_times_cost_one_histogram():
    """The usual case of a closed model stores its times once."""
    book = SeriesBook()
    book.series(labels()).same_ns.append(5)

    delta = book.drain(1, {}).deltas[labels()]

    assert delta.service is delta.latency


def test_names_beyond_the_cap_share_the_overflow_series():
    """A name per item can't eat the memory, and the book says that it happened."""
    book = SeriesBook()
    within = [book.series(labels(f"GET /{i}")) for i in range(500)]
    assert not book.overflowed

    beyond = {book.series(labels(f"GET /beyond/{i}")).labels.request for i in range(500)}

    assert beyond == {OVERFLOW_NAME}
    assert book.overflowed
    assert len(book.opened) == 501
    assert book.series(labels("GET /7")) is within[7]


def test_names_that_no_plan_knows_are_admitted_before_they_are_kept():
    """So that whoever sends them need not remember each; what is too long is cut."""
    book = SeriesBook(mask=lambda text: text.replace("s3cr3t", "***"))

    admitted = [book.admitted_name(f"GET /s3cr3t/{i}/{'x' * 300}") for i in range(501)]

    assert len(set(admitted)) == 501
    assert (len(admitted[0]), admitted[0][:12], admitted[-1]) == (
        200,
        "GET /***/0/x",
        OVERFLOW_NAME,
    )
    assert book.overflowed


def test_more_labels_of_a_known_name_are_no_overflow():
    """The cap counts names: statuses and stages of one name are bounded by themselves."""
    book = SeriesBook()
    for i in range(500):
        book.series(labels(f"GET /{i}"))

    assert book.series(labels("GET /7", status=503)).labels.request == "GET /7"


def test_tag_values_from_replies_are_capped_per_key():
    """The 21st value of a key becomes `__other__`; values already seen keep their own."""
    book = SeriesBook()

    given = [book.tag_value("shard", str(i)) for i in range(22)]

    assert given == [*map(str, range(20)), OTHER, OTHER]
    assert book.tag_value("shard", "3") == "3"
    assert book.tag_value("zone", "eu") == "eu"


def test_computed_names_are_capped_per_template():
    """The 51st name becomes `__other__`; another template has names of its own."""
    book = SeriesBook(mask=lambda text: text.replace("hush", "***"))

    given = [book.request_name("${n}", str(i)) for i in range(52)]

    assert given == [*map(str, range(50)), OTHER, OTHER]
    assert book.request_name("${n}", "3") == "3"
    assert book.request_name("${other}", "say hush") == "say ***"
    assert book.request_name("${other}", "  ") == "${other}"
    assert len(book.request_name("${other}", "x" * 10_000)) == 200
    assert book.crowded == (("name", "${n}"),)


def test_long_tag_values_are_cut():
    """A whole page as tag value stays a short label."""
    assert book_value_length("x" * 10_000) == 100


def book_value_length(value: str) -> int:
    return len(SeriesBook().tag_value("k", value))
