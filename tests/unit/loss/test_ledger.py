"""Nothing is lost in silence: each construct has one fate, and the counts say what they say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planrunner.loss.ledger import UNKNOWN, Fate, Ledger, SourcePlace
from planrunner.loss.report import as_json, as_text, summary_line

PLACE = SourcePlace("load.jmx", 3, 5)


def test_what_nobody_judged_is_left_out() -> None:
    ledger = Ledger()
    construct = ledger.add("element", "OddTimer", PLACE)

    ledger.close()

    assert (construct.fate, construct.why) == (Fate.LEFT_OUT, UNKNOWN)
    assert ledger.tally().has_loss


def test_the_fate_that_must_be_read_first_stays() -> None:
    construct = Ledger().add("key", "think", PLACE)

    construct.changed("once an iteration")
    construct.translated()
    construct.changed("another reason")

    assert (construct.fate, construct.why) == (Fate.CHANGED, "once an iteration")


@given(st.lists(st.sampled_from(Fate)), st.integers(1, 5))
def test_every_construct_is_counted_once(fates: list[Fate], bulk: int) -> None:
    ledger = Ledger()
    for fate in fates:
        ledger.add("call", "get()", PLACE).fate = fate
    ledger.add("entry", "keys of an entry", PLACE, bulk).translated()

    tally = ledger.tally()

    assert tally.total == len(fates) + bulk
    assert tally.counts == {
        fate: fates.count(fate) + (bulk if fate is Fate.TRANSLATED else 0) for fate in Fate
    }
    assert sum(one.total for one in ledger.tally_of_kinds().values()) == tally.total
    assert tally.has_loss == any(fate.is_loss for fate in fates)
    assert len(list(ledger.findings())) == len(fates) - fates.count(Fate.TRANSLATED)


def test_a_share_is_never_rounded_up() -> None:
    ledger = Ledger()
    ledger.add("entry", "usual", PLACE, 5998).translated()
    ledger.add("entry", "odd", PLACE, 2).left_out("write it")
    ledger.close()

    assert "(99.9 %)" in summary_line(ledger.tally())
    assert "left out (2)\n  load.jmx:3:5: odd (2 × entry)\n" in as_text(ledger)
    constructs = as_json(ledger)["constructs"]
    assert isinstance(constructs, list)
    assert [one["number"] for one in constructs] == [5998, 2]


def test_a_report_names_each_finding_with_place_and_reason() -> None:
    ledger = Ledger()
    ledger.add("call", "sleep(1)", PLACE).translated()
    ledger.add("call", "odd()", SourcePlace("a.js", 9)).left_out("write `exec`")
    ledger.close()

    assert as_text(ledger) == (
        "left out (1)\n"
        "  a.js:9:1: odd()\n"
        "      write `exec`\n"
        "\n"
        "2 constructs: 1 translated, 1 left out (50 %)\n"
    )
    assert as_json(ledger)["constructs"] == [
        {
            "file": "load.jmx",
            "line": 3,
            "column": 5,
            "kind": "call",
            "words": "sleep(1)",
            "fate": "translated",
        },
        {
            "file": "a.js",
            "line": 9,
            "column": 1,
            "kind": "call",
            "words": "odd()",
            "fate": "left_out",
            "why": "write `exec`",
        },
    ]
