"""What the language server says about a text, without a server."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from planrunner.cli.commands.validate import check
from planrunner.cli.plan_options import PlanOptions
from planrunner.lsp.documents.half_typed import read_tree
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.findings.diagnostics import diagnostics_of
from planrunner.lsp.findings.quick_fixes import quick_fixes
from planrunner.lsp.outline import folding_ranges, symbols
from tests.support.doc_pages import ROOT
from tests.support.plan_views import view_of

CODEC = PositionCodec()

PLAN = """\
name: shöp 😀
users:
  Buyer:
    tasks:
      - task: buy
        steps:
          - get: "http://127.0.0.1:1/😀/${nme}"
          - get: http://127.0.0.1:1/b
            nam: b
phases:
  - {users: 1, hold: 1s}
"""


def places(text: str) -> EditorLines:
    return EditorLines(text, CODEC)


def test_a_text_that_is_cut_anywhere_has_the_faults_of_the_file(tmp_path: Path) -> None:
    """And an outline, or none: what can't be read never raises."""
    for name in ("quickstart.yaml", "ci-gate.yaml"):
        whole = (ROOT / "plans" / name).read_text()
        for end in range(0, len(whole), 193):
            file, lines = tmp_path / name, places(whole[:end])
            file.write_text(whole[:end])

            typed = check(file, PlanOptions(), text=whole[:end])
            shown = diagnostics_of(typed, str(file), {str(file): lines}.__getitem__)

            saved = check(file, PlanOptions())
            assert typed == saved
            assert sum(map(len, shown.values())) == len(saved.faults) + len(saved.notices) + len(
                saved.warnings
            )
            if tree := read_tree(whole[:end]):
                symbols(tree, lines)
                folding_ranges(tree)


def test_columns_count_as_the_editor_does_and_hints_become_edits(tmp_path: Path) -> None:
    """A character outside the basic plane is two of its units."""
    file = tmp_path / "plan.yaml"
    checked = check(file, PlanOptions(), text=PLAN)
    shown = diagnostics_of(checked, str(file), {str(file): places(PLAN)}.__getitem__)
    unknown = next(one for one in shown[str(file)] if one.code == "unknown-key")

    file.write_text(PLAN)
    pairs = zip(checked.faults, shown[str(file)], strict=True)
    fixes = quick_fixes(view_of(file), [pair for pair in pairs if pair[1] is unknown])

    assert unknown.range == types.Range(types.Position(8, 12), types.Position(8, 15))
    assert "hint: did you mean `name`?" in unknown.message
    assert [fix.title for fix in fixes] == ["Replace by `name`"]
    assert fixes[0].edit is not None
    assert fixes[0].edit.changes == {file.as_uri(): [types.TextEdit(unknown.range, "name")]}
    assert places(PLAN).position(1, 8) == types.Position(0, 8 - 1)
    assert places(PLAN).position(7, 39) == types.Position(6, 39)
    assert places(PLAN).column(types.Position(6, 39)) == 38


def test_an_outline_survives_a_half_typed_line() -> None:
    """Entries of lists are called by what they say."""
    text = PLAN.replace("            nam: b\n", '            name: "b\n')
    broken = PLAN.replace("            nam: b\n", "           nam: [b: }\n")
    for typed in (PLAN, broken):
        tree = read_tree(typed)
        assert tree is not None
        found = symbols(tree, places(typed))

        assert [one.name for one in found] == ["users", "phases"]
        (buyer,) = found[0].children or ()
        assert (buyer.name, buyer.kind) == ("Buyer", types.SymbolKind.Class)
        assert found[1].children
        assert found[1].children[0].name == "users 1"
    whole = read_tree(PLAN)
    assert whole is not None
    assert types.FoldingRange(start_line=1, end_line=8) in folding_ranges(whole)
    read_tree(text)  # a quote that nothing closes takes the rest of the text with it
