"""Drill: what each construct becomes, and its fate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planrunner.importers.contract import Claim, ImportOptions
from planrunner.importers.formats.drill.importer import IMPORTER
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate

T, S, Y, C, L = Fate.TRANSLATED, Fate.SUSPICIOUS, Fate.NEEDS_YOU, Fate.CHANGED, Fate.LEFT_OUT


def run(text: str, path: Path | None = None) -> Imported:
    file = SourceFile(path, "load.yml", None if path else text.encode())
    return import_files([file], format_name="drill", options=ImportOptions())


def missing(texts: list[str], imported: Imported) -> list[str]:
    return [one for one in texts if squashed(one) not in squashed(imported.text)]


def squashed(text: str) -> str:
    return re.sub(r"[\"{},\s]+", " ", text)


ITEMS = [
    ("{name: Home, request: {url: /a}}", ["get: /a name: Home"], ".url", T),
    ("{request: {url: /a, method: POST, body: x}}", ["post: /a body: x"], ".body", T),
    ("{request: {url: /a, headers: {A: b}}}", ["headers: {A: b}"], ".A", T),
    ("{request: {url: /a, method: TRACE}}", [], ".method", L),
    ("{request: {url: /a, body: {hex: 65}}}", [], ".hex", L),
    ("{request: {url: /a, body: {file: no.txt}}}", [], ".file", Y),
    ("{request: {url: '/{{ TARGET }}'}}", ["env: TARGET"], ".url", Y),
    (
        "{request: {url: '/{{ item }}'}, with_items: [1, 2]}",
        ["item in [1, 2]", "/${item}"],
        ".url",
        T,
    ),
    (
        "{request: {url: '/{{ item.id }}/{{ index }}'}, with_items: [{id: 1}], shuffle: true}",
        ["shuffled: ${rand.shuffle([{'id': 1}])}", "/${rows[index].id}/${index}"],
        ".shuffle",
        T,
    ),
    (
        "{request: {url: '/{{ item }}'}, with_items_range: {start: 2, stop: 6, step: 2}, pick: 1}",
        ["(range(2, 7, 2) | list)[:1]"],
        ".pick",
        T,
    ),
    ("{request: {url: /a}, with_items_from_csv: no.csv}", ["in []"], ".with_items_from_csv", Y),
    ("{request: {url: /a}, tags: [slow]}", ["tags: [slow]"], ".tags", T),
    ("{request: {url: /a}, tags: [never]}", [], ".request", L),
    ("{request: {url: /a}, surprise: 1}", [], ".surprise", L),
    ("{assign: {key: bar, value: '2'}}", ["set: {bar: 2}"], ".key", T),
    ("{delay: {seconds: 3}}", ["think: 3s"], ".seconds", T),
    ("{delay: {milliseconds: 30}}", ["think: 30ms"], ".milliseconds", T),
    ("{exec: {command: echo hi}, assign: out}", ["sh -c 'echo hi'", "as: out"], ".command", T),
    (
        "{request: {url: /a}, assign: foo}, {request: {url: '/{{ foo.body.id }}'}}",
        ["extract: {foo_body_id: $.id}", "/${foo_body_id}"],
        ".assign",
        T,
    ),
    (
        "{request: {url: /a}, assign: foo}, {request: {url: '/{{ foo.status }}'}}",
        ["set: {foo_status: ${status}}"],
        ".assign",
        T,
    ),
    (
        "{request: {url: /a}, assign: foo}, {assert: {key: foo.status, value: 200}}",
        ["expect: {status: 200}", "{stop: plan, when: status != 200}"],
        ".assert",
        T,
    ),
    (
        "{request: {url: /a}, assign: foo}, {assert: {key: 'foo.body[1].x', value: ok}}",
        ['"$[1].x": ok', "stop: plan", "| string != 'ok'"],
        ".assert",
        T,
    ),
    (
        "{request: {url: /a}, assign: foo}, {request: {url: /b}},"
        " {assert: {key: foo.status, value: 200}}",
        ["expect: {status: 200}"],
        ".assert",
        C,
    ),
    (
        "{assign: {key: bar, value: '2'}}, {assert: {key: bar, value: '2'}}",
        ["if: (bar) | string != '2'", "stop: plan"],
        ".assert",
        T,
    ),
]


@pytest.mark.parametrize(("items", "texts", "words", "fate"), ITEMS, ids=[one[0] for one in ITEMS])
def test_items(items: str, texts: list[str], words: str, fate: Fate) -> None:
    """Each construct of a plan, alone in a test."""
    imported = run(f"base: http://a\nplan: [{items}]\n")

    assert missing(texts, imported) == []
    assert next(one.fate for one in imported.ledger.constructs if one.words.endswith(words)) is fate


@pytest.mark.parametrize(
    ("settings", "load"),
    [
        ("base: http://a", "{users: 1, iterations: 1}"),
        ("base: http://a\niterations: 9", "{users: 9, iterations: 9}"),
        ("iterations: 9\nconcurrency: 3\nrampup: 9", "{users: 3, iterations: 9, ramp_up: 9s}"),
        ("iterations: 9\nconcurrency: 3\nrampup: 8", "{users: 3, iterations: 9}"),
        ("base: '{{ HOST }}'\niterations: '{{ N }}'", 'iterations: "${n}"'),
    ],
)
def test_settings(settings: str, load: str) -> None:
    """The settings are one counted phase."""
    imported = run(f"{settings}\nplan: [{{request: {{url: /a}}}}]\n")

    assert load in imported.text
    assert check(imported) == ()


@pytest.mark.slow
def test_the_plans_validate() -> None:
    """All constructs of the table at once."""
    imported = run("base: http://a\nplan: [" + ", ".join(one[0] for one in ITEMS) + "]\n")

    assert [one.message for one in check(imported)] == []


def test_included_plans_and_rows_lie_beside_the_test(tmp_path: Path) -> None:
    """An included plan is read where it is named, rows of a file become a list; no file above."""
    (tmp_path / "more.yml").write_text("- request: {url: /more}\n- include: load.yml\n")
    (tmp_path / "rows.csv").write_text("id,n\n1,ada\n")
    main = tmp_path / "load.yml"
    main.write_text(
        "base: http://a\nplan:\n- include: more.yml\n- include: ../secret.yml\n"
        "- {request: {url: '/{{ item.n }}'}, with_items_from_csv: rows.csv}\n"
    )

    imported = run("", main)

    assert (
        missing(["get: /more", "item in [{'id': '1', 'n': 'ada'}]", "/${item.n}"], imported) == []
    )
    fates = [one.fate for one in imported.ledger.constructs if one.words.endswith("include")]
    assert fates == [T, Y, S]


def test_what_is_no_test() -> None:
    """A mapping without a plan is a fault; other YAML isn't claimed."""
    with pytest.raises(ImportFault, match="a mapping with `plan`"):
        run("base: http://a")
    assert IMPORTER.claim(SourceFile(None, "a.yml", b"plan: 5\nbase: x")) is Claim.NO
    text = b"base: http://a\nplan:\n- request:\n    url: /a\n"
    assert IMPORTER.claim(SourceFile(None, "a.yml", text)) is Claim.SURE
    text = b"base: http://a\nplan:\n  - {name: A, request: {url: /a}}\n"
    assert IMPORTER.claim(SourceFile(None, "a.yml", text)) is Claim.SURE
