"""Reading a plan's text: values, places, limits, and what is said about broken YAML."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.diagnostics import Code, Diagnostic, PlanError, render
from planrunner.plan.formatting import format_plan
from planrunner.plan.yaml.document import Document, parse, read
from tests.support.cpu_time import within_cpu

PARSERS = pytest.mark.parametrize("pure", [False, True], ids=["c", "pure"])


def faults_of(text: str, *, pure: bool = False) -> tuple[Diagnostic, ...]:
    try:
        return parse(text, "plan.yaml", pure=pure).faults
    except PlanError as error:
        return error.diagnostics


def first_fault(text: str, *, pure: bool = False) -> tuple[str, int, int]:
    fault = faults_of(text, pure=pure)[0]
    return fault.code.value, fault.span.line, fault.span.column


# -- values


@PARSERS
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        ("0755", 755),
        ("0o17", 15),
        ("0xff", 255),
        ("-3", -3),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"null"', "null"),
        ("! 5", "5"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("<< ", "<<"),
        ("< 1s", "< 1s"),
    ],
)
def test_scalars_mean_what_the_core_schema_of_yaml_1_2_says(
    written: str, value: object, *, pure: bool
) -> None:
    """Only null, booleans, numbers and text; no dates, no sexagesimals, no octal by a zero."""
    read_value = parse(f"key: {written}\n", "plan.yaml", pure=pure).data["key"]

    assert (type(read_value), read_value) == (type(value), value)


@PARSERS
def test_urls_need_no_quotes_inside_flow_collections(*, pure: bool) -> None:
    """YAML 1.2 gives `:` and `?` inside a word no meaning; the C parser needs help with that."""
    text = "a: {url: http://host:80/x?y=1, b: [/z?a:b, '?', \"x?y:z\"]}\nb: x:y?z\n"

    document = parse(text, "plan.yaml", pure=pure)

    assert document.faults == ()
    assert document.data == {
        "a": {"url": "http://host:80/x?y=1", "b": ["/z?a:b", "?", "x?y:z"]},
        "b": "x:y?z",
    }


@PARSERS
@pytest.mark.parametrize(
    "text",
    [
        "a: 1\r\nb: [2]\r\n",
        "\ufeffa: 1\nb: [2]\n",
        "%YAML 1.2\n---\na: 1\nb:\n- 2\n...\n",
        "a: 1\rb: [2]",
    ],
    ids=["crlf", "bom", "directive", "cr"],
)
def test_harmless_differences_of_editors_are_accepted(text: str, *, pure: bool) -> None:
    """Windows line ends, a byte order mark and an explicit document are no faults."""
    assert parse(text, "plan.yaml", pure=pure).data == {"a": 1, "b": [2]}


@PARSERS
def test_merge_keys_add_what_a_mapping_lacks(*, pure: bool) -> None:
    """The mapping's own key wins, then the first source; the merged key keeps its place."""
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0\n"

    document = parse(text, "plan.yaml", pure=pure)

    assert document.data["z"] == {"a": 0, "b": 1, "c": 2}
    assert str(document.span(("z", "c"))) == "plan.yaml:2:17"


def test_a_quoted_merge_word_is_an_ordinary_key() -> None:
    """Only the plain `<<` merges."""
    assert parse('"<<": {a: 1}', "plan.yaml").data == {"<<": {"a": 1}}


# -- places


@PARSERS
def test_every_key_and_value_has_its_place(*, pure: bool) -> None:
    """Lines and columns count characters from 1, beyond the basic plane too."""
    text = "é😀: {b: '😀x', c: [1, two]}\nd:\n  - e: !!str 5\n    f:\n"
    document = parse(text, "plan.yaml", pure=pure)

    def place(*path: str | int, part: str = "value") -> tuple[int, int, int]:
        span = document.span(path, part)  # type: ignore[arg-type]
        return span.line, span.column, span.end_column

    assert place("é😀", part="key") == (1, 1, 3)
    assert place("é😀", "b") == (1, 9, 13)
    assert place("é😀", "c", 1) == (1, 22, 25)
    assert place("d", 0, "e") == (3, 14, 15)
    assert place("d", 0, "f") == (4, 5, 6), "an empty value is shown at its key"
    assert place("d", 0)[:2] == (3, 5)


def test_a_path_that_is_not_there_gives_the_nearest_ancestor() -> None:
    """So that a missing key is shown where it is missing."""
    document = parse("a:\n  b: {c: 1}\n", "plan.yaml")

    assert document.span(("a", "b", "zzz", 3)) == document.span(("a", "b"))
    assert document.has(("a", "b", "c"))
    assert not document.has(("a", "b", "zzz"))


@PARSERS
@pytest.mark.parametrize(
    ("scalar", "value", "word"),
    [
        ("http://${h}/x", "http://${h}/x", "${h}"),
        ("'it''s ${h}'", "it's ${h}", "${h}"),
        (r'"a\t\x41\u00e9 ${h}"', "a\tAé ${h}", "${h}"),
        ('&anchor !!str "x ${h}"', "x ${h}", "${h}"),
        ("|\n    one\n\n    two ${h}\n", "one\n\ntwo ${h}\n", "${h}"),
        ("|1-\n    one ${h}\n", " one ${h}", "${h}"),
        (">-\n    one\n    two ${h}\n\n    x\n", "one two ${h}\nx", "${h}"),
        ("plain\n    folded ${h}", "plain folded ${h}", "${h}"),
        ('"a\n\n    b \\\n    c ${h}"', "a\nb c ${h}", "${h}"),
    ],
)
def test_characters_inside_a_scalar_have_their_own_place(
    scalar: str, value: str, word: str, *, pure: bool
) -> None:
    """Quotes, escapes, folds and indentation are seen through."""
    text = f"key:\n  k: {scalar}\nlast: 1\n"
    document = parse(text, "plan.yaml", pure=pure)

    span = document.span_at(("key", "k"), value.index(word), len(word))

    line = text.split("\n")[span.line - 1]
    assert document.data["key"]["k"] == value
    assert line[span.column - 1 : span.end_column - 1] == word


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1))
def test_any_quoted_text_maps_back_character_by_character(value: str) -> None:
    """JSON strings are YAML double-quoted scalars; each character is found where it stands."""
    written = json.dumps(value)
    document = parse(f"k: {written}", "plan.yaml")

    last = document.span_at(("k",), len(value) - 1)

    assert document.data["k"] == value
    assert 5 <= last.column <= last.end_column <= 4 + len(written)


def test_a_place_past_the_end_of_a_text_is_just_behind_it() -> None:
    """A missing closing brace is reported where it should have been."""
    span = parse('k: "${a"', "plan.yaml").span_at(("k",), 3)

    assert (span.column, span.end_column) == (8, 9)


# -- faults


@PARSERS
@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: [1, 2\nb: 3", "yaml-syntax", 2, 2),
        ("a: {b: c, d", "yaml-syntax", 1, 4),
        ('a: "abc\nb: c', "yaml-syntax", 1, 4),
        ('a: "x\n---\n"', "yaml-syntax", 1, 4),
        ("a: b: c", "yaml-syntax", 1, 5),
        ("- a\nb: c", "yaml-syntax", 2, 1),
        ("a:\n  b: 1\n c: 2", "yaml-syntax", 3, 2),
        ("a: b\n- c", "yaml-syntax", 2, 1),
        ("a: @x", "yaml-syntax", 1, 4),
        ("a: `x`", "yaml-syntax", 1, 4),
        ("a: *x", "yaml-syntax", 1, 4),
        ("a: *", "yaml-syntax", 1, 5),
        ('a: "\\q"', "yaml-syntax", 1, 5),
        ("a: |x\n b", "yaml-syntax", 1, 5),
        ("a: ]", "yaml-syntax", 1, 4),
        ('x: "a" b', "yaml-syntax", 1, 8),
        ("a: - b", "yaml-syntax", 1, 4),
        ("key\nb: c", "yaml-syntax", 2, 2),
        ("a:\n  - b\n  c", "yaml-syntax", 3, 3),
        ("a: b\n\tc: d", "yaml-syntax", 2, 1),
        ("a:\n  b: 1\n  \tc: 2", "yaml-syntax", 3, 3),
        ("a: b\n---\nc: d", "yaml-syntax", 2, 1),
        ("a: b\n...\nc: d", "yaml-syntax", 3, 1),
        ("a: 1\x00", "yaml-syntax", 1, 5),
        ("a: \x1b[31m", "yaml-syntax", 1, 4),
        ("%YAML 3.0\n---\na: b", "yaml-syntax", 1, 1),
        ("%TAG !x! y\n---\na: b", "yaml-syntax", 1, 1),
        ("a: 1\nb: 2\na: 3", "duplicate-key", 3, 1),
        ("a: &a [*a]", "recursive-alias", 1, 8),
        ("a: &a\n  b: {<<: *a}", "recursive-alias", 2, 11),
        ("a: !!python/object/apply:os.system [x]", "foreign-tag", 1, 4),
        ("a: !e!x y", "foreign-tag", 1, 4),
        ("a: !!binary aGk=", "foreign-tag", 1, 4),
        ("a: !!map x", "foreign-tag", 1, 4),
        ("a: !!int x", "invalid-value", 1, 4),
        ("a: " + "9" * 5000, "invalid-value", 1, 4),
        ("404: x", "bad-key", 1, 1),
        ("null: x", "bad-key", 1, 1),
        ("? [a]\n: x", "bad-key", 1, 3),
        ("<<: 3\na: 1", "wrong-type", 1, 1),
        ("{port: ${port}}", "unquoted-expression", 1, 8),
        ("a: [x${a | d({})}]", "unquoted-expression", 1, 6),
        ("a: {{ b }}", "wrong-braces", 1, 4),
        ("a: {get: /kv/{{ key }} }", "wrong-braces", 1, 14),
        ("a: {{ b['x'] }}", "wrong-braces", 1, 4),
        ("- a", "wrong-type", 1, 1),
        ("text", "wrong-type", 1, 1),
        ("", "empty-plan", 1, 1),
        ("\n# a comment\n", "empty-plan", 1, 1),
        ("---\n", "empty-plan", 1, 1),
        ("a: " + "[" * 70, "too-complex", 1, 67),
    ],
)
def test_a_fault_has_the_same_code_and_place_with_either_parser(
    text: str, code: str, line: int, column: int, *, pure: bool
) -> None:
    """What is said depends on the text, not on which YAML parser the platform has."""
    assert first_fault(text, pure=pure) == (code, line, column)


def test_a_broken_line_is_explained_with_what_to_write() -> None:
    """The message, the line, the caret and the hint, ready for a terminal."""
    [fault] = faults_of("name: x\nurl: a: b # c\n")

    assert render(fault) == (
        "plan.yaml:2:7: error[yaml-syntax]: a value can't hold `: ` without quotes\n"
        "    2 | url: a: b # c\n"
        "      |       ^\n"
        'hint: quote it: `"a: b"`'
    )


@PARSERS
def test_reading_goes_on_after_unquoted_expressions(*, pure: bool) -> None:
    """Three of them and a duplicate key: four findings, and the values that were meant."""
    text = "a: {u: http://${h}/x?y, v: [${b}]}\nc: {get: /kv/{{ key }}}\nd: {e: 1, e: 2}\n"

    document = parse(text, "plan.yaml", pure=pure)

    assert [(fault.code.value, str(fault.span), fault.hint) for fault in document.faults[:3]] == [
        ("unquoted-expression", "plan.yaml:1:15", 'write `"http://${h}/x?y"`'),
        ("unquoted-expression", "plan.yaml:1:29", 'write `"${b}"`'),
        ("wrong-braces", "plan.yaml:2:14", 'write `"/kv/${key}"`'),
    ]
    assert document.faults[3].code is Code.DUPLICATE_KEY
    assert document.data["a"] == {"u": "http://${h}/x?y", "v": ["${b}"]}


def test_expressions_in_block_style_need_no_quotes() -> None:
    """`port: ${port}` is plain text to YAML."""
    document = parse("port: ${port}\nurl: http://${a.b['c']}:${p}/x\nl:\n- ${x}\n", "plan.yaml")

    assert document.faults == ()
    assert document.data == {
        "port": "${port}",
        "url": "http://${a.b['c']}:${p}/x",
        "l": ["${x}"],
    }


def test_a_duplicate_key_shows_both_places() -> None:
    """The second is the fault, the first is a note."""
    [fault] = faults_of("users:\n  A: 1\n  B: 2\n  A: 3\n")

    assert [str(note.span) for note in fault.notes] == ["plan.yaml:2:3"]


def test_no_escape_sequence_of_a_plan_reaches_the_terminal() -> None:
    """A plan from a stranger can't repaint the screen through its own error message."""
    [fault] = faults_of("name: x\x1b[2J\n")

    assert "\x1b" not in render(fault)


# -- limits

LEVELS = 12
ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, LEVELS)
)
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n}\n  k{n}: {{y: *a{n - 1}}}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n"
    for n in range(1, 60)
)
WIDE_MERGE = (
    "a: &a {"
    + ",".join(f"k{n}: 1" for n in range(5000))
    + "}\nb:\n  <<: ["
    + "*a," * 90_000
    + "]\n"
)
BOMBS = {
    "aliases": ALIAS_BOMB,
    "merges": MERGE_BOMB,
    "wide-merge": WIDE_MERGE,
    "brackets": "[" * 1_000_000,
    "braces": "{a: " * 250_000,
    "dashes": "- " * 500_000,
    "questions": "? " * 500_000,
    "values": "a: [" + "1," * 490_000 + "]",
    "keys": "".join(f"k{n}: v\n" for n in range(90_000)),
    "duplicates": "k: v\n" * 200_000,
    "documents": "---\n" * 250_000,
    "tag-lines": "".join(f"%TAG !{n}! x\n" for n in range(60_000)) + "---\na: b",
    "expressions": "a: {" + "b: ${c}, " * 100_000 + "}",
    "urls": "a: {" + "b: c:d?e, " * 90_000 + "}",
    "quote": 'a: "' + "x\n " * 330_000,
    "word": "a: {b: " + "x" * 990_000 + "${c}}",
    "digits": "a: " + "9" * 990_000,
    "float": "a: 1." + "9" * 990_000,
    "colons": "a: " + ":" * 990_000,
    "comments": "#\n" * 490_000 + "%",
    "spaces": " " * 999_999,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_no_text_of_a_megabyte_takes_a_second(name: str) -> None:
    """Whatever it is, it is read or refused at once, and every finding lies in the file."""
    faults = within_cpu(1, lambda: faults_of(BOMBS[name]))

    assert all(fault.span.line >= 1 for fault in faults)


@pytest.mark.parametrize("name", ["aliases", "wide-merge", "brackets"])
def test_what_expands_or_nests_too_far_is_too_complex(name: str) -> None:
    """The limits hold for what a plan means, not for how short it is written."""
    assert faults_of(BOMBS[name])[-1].code is Code.TOO_COMPLEX


def test_an_alias_counts_with_its_depth() -> None:
    """Twenty levels of brackets behind four aliases in a row are eighty."""
    text = "a: &a " + "[" * 20 + "]" * 20 + "\n"
    for name, before in ("ba", "cb", "dc"):
        text += f"{name}: &{name} " + "[" * 20 + f"*{before}" + "]" * 20 + "\n"

    assert [fault.code for fault in faults_of(text)] == [Code.TOO_COMPLEX]


# -- files


def code_of(path: object) -> tuple[Code, str]:
    with pytest.raises(PlanError) as caught:
        read(path)  # type: ignore[arg-type]
    [fault] = caught.value.diagnostics
    return fault.code, render(fault)


def test_a_missing_file_is_named_with_the_one_that_was_meant(tmp_path) -> None:
    """A typo in the name is the usual reason."""
    (tmp_path / "stress.yaml").write_text("name: x\n")

    code, text = code_of(tmp_path / "stres.yaml")

    assert code is Code.NO_SUCH_FILE
    assert f"did you mean `{tmp_path / 'stress.yaml'}`?" in text


def test_things_that_are_no_regular_file_are_refused(tmp_path) -> None:
    """A directory, a device without end, and a pipe that would wait for ever."""
    os.mkfifo(tmp_path / "pipe")

    assert code_of(tmp_path)[0] is Code.NOT_A_FILE
    assert code_of("/dev/zero")[0] is Code.NOT_A_FILE
    if os.path.exists("/proc/self/environ"):  # noqa: PTH110 - no other use of Path here
        assert code_of("/proc/self/environ")[0] is Code.NOT_A_FILE
    assert code_of(tmp_path / "pipe")[0] is Code.NOT_A_FILE
    assert code_of("a\0b")[0] is Code.UNREADABLE_FILE


def test_a_large_file_is_refused_before_it_is_read(tmp_path) -> None:
    """50 MB that take no space on disk and no time to refuse."""
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)

    code, text = code_of(path)

    assert code is Code.FILE_TOO_LARGE
    assert "the file is 50.0 MB; a plan can be at most 1 MB" in text


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"name: x\nurl: caf\xe9\n", ":2:9", "byte 0xe9 at offset 16"),
        ("name: x\n".encode("utf-16"), ":1:1", "UTF-16"),
        ("é: \n".encode() + b"\xff", ":2:1", "byte 0xff at offset 5"),
    ],
)
def test_a_file_that_is_not_utf8_says_where(tmp_path, content: bytes, place, words) -> None:
    """Byte, offset, line and column."""
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)

    code, text = code_of(path)

    assert code is Code.NOT_UTF8
    assert text.startswith(f"{path}{place}: ")
    assert words in text


# -- anything at all

PIECES = st.sampled_from(
    [
        *"{}[],'\"#\n\t\r?%1|>",
        "a",
        "b: ",
        "- ",
        "  ",
        ": ",
        "&x ",
        "*x",
        "!t ",
        "!!str ",
        "|\n",
        ">\n",
        "${",
        "{{",
        "}}",
        "<<: ",
        "---",
        "\u2028",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_gives_a_document_or_faults_inside_the_file(text: str) -> None:
    """Never another exception, and the C parser and the pure one agree on what is a plan."""
    lines = text.count("\n") + text.count("\r") + 1

    for pure in (False, True):
        for fault in faults_of(text, pure=pure):
            assert 1 <= fault.span.line <= lines
            assert fault.span.column >= 1
            assert fault.source == Document.source_line(_anything(text), fault.span.line)


def _anything(text: str) -> Document:
    document = parse("a: 1", "plan.yaml")
    object.__setattr__(document, "source", type(document.source)("plan.yaml", text))
    return document


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 1\n\t\nb: 2\n", {"a": 1, "b": 2}),
        ("\t\na: 1\r\n\t \r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("a: |\n  x\n\t\n  y\n", {"a": "x\n\ny\n"}),
        ('a: "x\n\t\n  y"\n', {"a": "x\ny"}),
    ],
)
def test_a_tab_in_a_blank_line_is_a_blank(text: str, data: object) -> None:
    """Editors leave them there, and YAML 1.2 allows it."""
    assert parse(text, "plan.yaml").data == data
    assert parse(format_plan(text, "plan.yaml"), "plan.yaml").data == data
