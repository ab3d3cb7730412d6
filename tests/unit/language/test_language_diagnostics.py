"""How findings read, and what the words of a plan can't do to a terminal."""

from __future__ import annotations

from dataclasses import replace

from planrunner.language.diagnostics import (
    Code,
    Diagnostic,
    Note,
    PlanError,
    Severity,
    Span,
    render,
    suggest,
)
from tests.support.cpu_time import within_cpu

FINDING = Diagnostic(
    Span("plans/a.yaml", 5, 11, 5, 15),
    Code.INVALID_UNIT,
    "`fast` is not a rate",
    "write a rate such as `100/s`",
    "    rate: fast",
)


def test_a_finding_reads_place_message_source_hint() -> None:
    """Editors jump to the first line; the caret is under the value."""
    assert render(FINDING) == (
        "plans/a.yaml:5:11: error[invalid-unit]: `fast` is not a rate\n"
        "    5 |     rate: fast\n"
        "      |           ^^^^\n"
        "hint: write a rate such as `100/s`"
    )


def test_a_note_stands_between_source_and_hint() -> None:
    """The second place belongs to the finding."""
    finding = replace(
        FINDING,
        severity=Severity.WARNING,
        notes=(Note(Span("b.yaml", 2, 1, 2, 3), "first defined here"),),
    )

    lines = render(finding).splitlines()

    assert lines[0].startswith("plans/a.yaml:5:11: warning[invalid-unit]")
    assert lines[3] == "b.yaml:2:1: note: first defined here"


def test_a_finding_without_source_is_one_line() -> None:
    """A file that can't be read has no line to show."""
    finding = replace(FINDING, source="", hint="")

    assert render(finding) == "plans/a.yaml:5:11: error[invalid-unit]: `fast` is not a rate"


def test_a_long_line_is_cut_around_the_fault() -> None:
    """A minified line must not fill the terminal."""
    source = "x" * 5000 + "fast" + "y" * 5000
    finding = replace(FINDING, span=Span("a.yaml", 5, 5001, 5, 5005), source=source)

    shown, carets = render(finding).splitlines()[1:3]

    assert len(shown) < 140
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "fast"


def test_a_fault_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    """The caret line has no place for the others."""
    finding = replace(FINDING, span=Span("a.yaml", 5, 5, 9, 1))

    assert render(finding).splitlines()[2] == "      |     ^^^^^^^^^^"


def test_a_fault_behind_the_line_gets_a_caret_there() -> None:
    """Something missing at the end of a line is pointed at where it should be."""
    finding = replace(FINDING, span=Span("a.yaml", 5, 17, 5, 17))

    assert render(finding).splitlines()[2] == "      | " + " " * 16 + "^"


def test_wide_characters_take_two_cells() -> None:
    """The caret stands under the value in a terminal, whatever is written before it."""
    finding = replace(
        FINDING, span=Span("a.yaml", 5, 7, 5, 9), source="\u540d\u79f0: e\u0301\u4e2d\u6587"
    )

    carets = render(finding).splitlines()[2]

    assert carets == "      | " + " " * 7 + "^^^^"


def test_control_characters_never_reach_the_terminal() -> None:
    """A plan can't clear the screen, or fake a second finding with a newline."""
    finding = replace(
        FINDING,
        message="`\x1b[2J\nb.yaml:1:1: error[x]: fake` is not a rate",
        source="rate: \x1b[2J\t\u202e",
        hint="a\rb",
    )

    text = render(finding)

    assert len(text.splitlines()) == 4
    assert all(line.isprintable() for line in text.split("\n"))


def test_an_error_holds_its_findings_in_file_order() -> None:
    """Whoever collects them need not sort."""
    later = replace(FINDING, span=Span("plans/a.yaml", 7, 1, 7, 2))

    error = PlanError([later, FINDING])

    assert error.diagnostics == (FINDING, later)
    assert error.message == "plan has 2 errors"


def test_a_suggestion_is_the_nearest_known_word() -> None:
    """Case doesn't count; nothing near is no suggestion."""
    known = ["users", "stages", "thresholds"]

    assert suggest("user", known) == "did you mean `users`?"
    assert suggest("STAGES", known) == "did you mean `stages`?"
    assert suggest("Base_URL", ["base_url"]) == "did you mean `base_url`?"
    assert suggest("wxyz", known) == ""


def test_a_giant_word_is_not_compared() -> None:
    """A key of a megabyte costs nothing."""
    assert within_cpu(0.1, lambda: suggest("u" * 1_000_000, ["users"])) == ""
