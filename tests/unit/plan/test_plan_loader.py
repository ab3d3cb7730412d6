"""Loading whole plans: positions of pydantic's findings, imports, bundles, and any nonsense."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.diagnostics import Code, Diagnostic, PlanError, render
from planrunner.language.files import FileFault
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import CheckedPlan, InvalidPlan, load, load_bundle
from planrunner.plan.params.resolve import ParamSources
from tests.support.cpu_time import within_cpu

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted((ROOT / "plans").glob("*.yaml"))

HEAD = 'name: shop\nhttp: {base_url: "http://localhost:8000"}\n'
USERS = "users:\n  Visitor:\n    tasks:\n      - get: /\n"
STAGES = "stages:\n  - {duration: 30s, users: 10}\n"
WHOLE = HEAD + USERS + STAGES

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes files, the first of which is the plan."""

    def write(plan: str, **files: str) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_text(plan, encoding="utf-8")
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return path

    return write


def faults_of(path: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(PlanError) as caught:
        load(path, environ={})
    return caught.value.diagnostics


def shape(path: Path) -> list[tuple[str, int, str]]:
    """Return code, line and text under the caret of each finding."""
    return [
        (
            fault.code.value,
            fault.span.line,
            fault.source[fault.span.column - 1 : fault.span.end_column - 1],
        )
        for fault in faults_of(path)
    ]


# -- plans


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_plans_load_without_any_environment_variable(path: Path) -> None:
    """What we ship is valid."""
    assert isinstance(load(path, environ={}), CheckedPlan)


def test_a_plan_knows_its_values_places_and_texts(write: Write) -> None:
    """Model, positions, params and bundle of one plan belong together."""
    path = write(WHOLE + "params:\n  hold: {type: duration, default: 90s}\n")

    plan = load(path, environ={})

    assert plan.model.name == "shop"
    assert plan.params["hold"].value == 90
    assert str(plan.document.span(("users", "Visitor"), "key")) == f"{path}:4:3"
    assert plan.bundle.texts == {str(path): path.read_text()}


def test_every_fault_is_found_at_once_and_in_file_order(write: Write) -> None:
    """YAML, keys, values, params: one run of `validate` shows them all."""
    path = write(
        "nam: shop\n"
        "http: {base_url: http://x/y, timeout: 5, timeout: 6s}\n"
        "params: {p: {type: int, default: x}, q: {type: str}}\n"
        "users:\n  Visitor:\n    weight: 0\n    tasks: [{get: /, wieght: 2}]\n"
        "stages: [{duration: 30s, users: ${p}}]\n"
    )

    assert shape(path) == [
        ("unknown-key", 1, "nam"),
        ("invalid-unit", 2, "5"),
        ("duplicate-key", 2, "timeout"),
        ("invalid-param", 3, "x"),
        ("missing-param", 3, "q"),
        ("invalid-value", 6, "0"),
        ("unknown-key", 7, "wieght"),
        ("unquoted-expression", 8, "${p}"),
    ]


@pytest.mark.parametrize(
    ("line", "code", "under_caret"),
    [
        ("seed: [1]", "wrong-type", "[1]"),
        ("description: 5", "wrong-type", "5"),
        ("description: {a: 1}", "wrong-type", "{a: 1}"),
        ("imports: a.yaml", "wrong-type", "a.yaml"),
        ("planrunner: 2", "invalid-value", "2"),
        ("planrunner: '1'", "invalid-value", "'1'"),
        ("report: {formats: [html]}", "invalid-value", "html"),
        ("baseline: ''", "invalid-value", "''"),
        ("params: [a]", "wrong-type", "[a]"),
        ("params: {a: {type: duratoin}}", "invalid-value", "duratoin"),
        ("thresholds: [p95 => 1s]", "threshold-syntax", "=>"),
        ("thresholds: ['error_rate < 1']", "threshold-syntax", "1"),
        ("x-own: {anything: [goes]}\nseed: x", "invalid-value", "x"),
    ],
)
def test_one_fault_gives_one_finding_at_the_piece_that_is_wrong(
    write: Write, line: str, code: str, under_caret: str
) -> None:
    """Unions and validators inside pydantic leave no trace."""
    [(found, _line, text)] = shape(write(WHOLE + line + "\n"))

    assert (found, text) == (code, under_caret)


def test_messages_speak_of_plans_not_of_python(write: Write) -> None:
    """No class names, no `dict`, no `str`, no `Input should be`."""
    path = write(
        "name: [x]\nhttp: 5\nusers: [a]\nstages: {a: 1}\nseed: {}\nparams: x\nreport: [1]\n"
        "thresholds: {a: 1}\nflows: []\nservices: x\nsetup: 5\ndata: x\nmonitors: []\n"
    )
    text = "\n".join(render(fault) for fault in faults_of(path))

    for word in ("Input", "dict", "str,", "Model", "valid ", "pydantic", "None", "object"):
        assert word not in text


def test_a_fault_inside_a_short_form_is_shown_at_its_part(write: Write) -> None:
    """`stages` may be one text; the caret stands under the faulty level of it."""
    path = write(HEAD + USERS + 'stages: "2m:200, 5m:many"\n')

    assert shape(path) == [("invalid-value", 4 + 3, "many")]


@pytest.mark.slow
def test_a_generated_file_full_of_faults_gives_a_hundred(write: Write) -> None:
    """And takes no longer for the rest."""
    path = write(WHOLE + "".join(f"key{n}: 1\n" for n in range(20_000)))

    count = len(within_cpu(2, lambda: faults_of(path)))

    assert 1 <= count <= 100


# -- the draft


def test_the_sound_rest_of_an_invalid_plan_is_kept_with_its_places(write: Write) -> None:
    """So that the compiler can look for more faults, and show them where they are."""
    path = write(
        HEAD + "users:\n  Visitor:\n    tasks:\n"
        "      - get: /${a |}\n"
        "      - {get: /two, name: two}\n"
        "      - {gte: /three}\n"
        "      - {get: /four}\n" + STAGES
    )

    with pytest.raises(InvalidPlan) as caught:
        load(path, environ={})
    draft = caught.value.draft

    assert draft is not None
    assert [task["get"] for task in draft.document.data["users"]["Visitor"]["tasks"]] == [
        "/two",
        "/four",
    ]
    assert draft.document.span(("users", "Visitor", "tasks", 1, "get")).line == 9
    assert "a" in caught.value.lost


def test_a_forgotten_name_does_not_hide_the_rest(write: Write) -> None:
    """The commonest fault of all; the draft has a stand-in."""
    path = write(USERS + STAGES)

    with pytest.raises(InvalidPlan) as caught:
        load(path, environ={})

    assert [fault.code for fault in caught.value.diagnostics] == [Code.MISSING_KEY]
    assert caught.value.draft is not None
    assert caught.value.draft.document.span(("users",), "key").line == 1


@pytest.mark.parametrize("plan", ["users: {}\n", "name: x\nusers: 5\nstages: 5\n", "nam: x\n"])
def test_of_a_plan_without_a_sound_part_nothing_is_kept(write: Write, plan: str) -> None:
    """There is nothing to compile."""
    with pytest.raises(InvalidPlan) as caught:
        load(write(plan), environ={})

    assert caught.value.draft is None


# -- imported files

IMPORTING = HEAD + "imports: [auth.yaml, more.yaml]\n" + STAGES
AUTH = "flows:\n  login: [{post: /login}]\nthresholds: [p95 < 1s]\nx-a: 1\n"
MORE = "users:\n  Admin: {tasks: [{get: /admin}]}\ndata:\nflows:\n"


def test_imported_parts_belong_to_the_plan_and_keep_their_file(write: Write) -> None:
    """Users, flows and thresholds of two files, one of them with empty sections."""
    path = write(IMPORTING + "thresholds: [error_rate < 1%]\n", auth=AUTH, more=MORE)

    plan = load(path, environ={})

    assert list(plan.model.users or {}) == ["Admin"]
    assert list(plan.model.flows or {}) == ["login"]
    assert plan.document.data["thresholds"] == ["error_rate < 1%", "p95 < 1s"]
    assert str(plan.document.span(("flows", "login", 0, "post"))).endswith("auth.yaml:2:18")
    assert str(plan.document.span(("thresholds", 1))).endswith("auth.yaml:3:14")
    assert plan.files_at(("flows", "login")).directory == path.parent


def test_faults_of_an_imported_file_are_shown_in_it(write: Write) -> None:
    """With its name, line and source line."""
    path = write(
        IMPORTING,
        auth="flows:\n  login: [{psot: /login}]\nname: x\nstages: []\n",
        more=MORE + "users: 5\nthresholds: {}\n",
    )

    found = [
        (Path(fault.span.file).name, fault.code.value, fault.source) for fault in faults_of(path)
    ]

    assert found == [
        ("auth.yaml", "unknown-key", "  login: [{psot: /login}]"),
        ("auth.yaml", "unknown-key", "name: x"),
        ("auth.yaml", "unknown-key", "stages: []"),
        ("more.yaml", "duplicate-key", "users: 5"),
        ("more.yaml", "wrong-type", "thresholds: {}"),
    ]


def test_a_name_that_is_there_already_shows_both_places(write: Write) -> None:
    """In the plan and an import, and in two imports."""
    path = write(
        HEAD + "imports: [auth.yaml, more.yaml]\nflows: {login: [{get: /}]}\n" + USERS + STAGES,
        auth=AUTH,
        more="flows: {login: [{get: /}]}\n",
    )

    faults = faults_of(path)

    assert [fault.code for fault in faults] == [Code.DUPLICATE_NAME] * 2
    assert [Path(fault.notes[0].span.file).name for fault in faults] == ["plan.yaml"] * 2


def test_a_file_that_cannot_be_imported_is_shown_where_it_is_named(write: Write) -> None:
    """Missing, empty, itself, twice, or importing the plan that imports it."""
    path = write(
        HEAD
        + "imports: [nothing.yaml, empty.yaml, plan.yaml, auth.yaml, ./auth.yaml, back.yaml]\n"
        + USERS
        + STAGES,
        empty="# nothing\n",
        auth=AUTH,
        back="imports: [plan.yaml]\n",
    )

    found = [(Path(f.span.file).name, f.code.value, len(f.notes)) for f in faults_of(path)]

    assert found == [
        ("back.yaml", "unknown-key", 0),
        ("back.yaml", "import-cycle", 1),
        ("empty.yaml", "empty-plan", 0),
        ("plan.yaml", "no-such-file", 0),
        ("plan.yaml", "import-cycle", 0),
        ("plan.yaml", "duplicate-name", 1),
    ]


# -- bundles


def test_a_bundle_gives_the_same_plan_without_its_files(write: Write) -> None:
    """A worker on another machine has only what was sent."""
    path = write(IMPORTING, auth=AUTH, more=MORE)
    plan = load(path, environ={})
    sent = pickle.loads(pickle.dumps(plan.bundle))
    for file in path.parent.iterdir():
        file.unlink()

    again = load_bundle(sent, ParamSources())

    assert again.document.data == plan.document.data
    assert again.bundle.digest == plan.bundle.digest


def test_the_digest_depends_on_texts_not_on_where_they_are(tmp_path: Path) -> None:
    """Two machines with the plan in different directories agree; one changed letter doesn't."""

    def digest(directory: str, text: str) -> str:
        return Bundle(f"{directory}/p.yaml", {f"{directory}/p.yaml": text}).digest

    assert digest("/a", "x") == digest("/b/c", "x")
    assert digest("/a", "x") != digest("/a", "y")


def test_named_files_are_read_once_and_beside_the_file_that_names_them(tmp_path: Path) -> None:
    """What was read stays in the bundle, even when the file changes during a run."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "schema.json").write_text("{}")
    bundle = Bundle(str(tmp_path / "plan.yaml"), {})
    files = bundle.beside(str(tmp_path / "sub" / "auth.yaml"))

    first = files.read("schema.json")
    (tmp_path / "sub" / "schema.json").write_text("changed")

    assert (first, files.read("schema.json")) == (b"{}", b"{}")
    assert files.path("schema.json") == tmp_path / "sub" / "schema.json"
    with pytest.raises(FileFault, match="does not exist"):
        files.path("nothing.json")


# -- any nonsense

TEXTS = [path.read_text(encoding="utf-8") for path in SHIPPED] + [
    WHOLE,
    IMPORTING,
    HEAD + USERS + 'profiles: {a: [{stages: "2m:200, 5m:200"}]}\nthresholds: [p95 of tag:a < 1s]\n',
]
INSERTED = [
    *"{}[]:,'\"#&*!|>%@`-?\t\r\0",
    "${",
    "{{",
    "}}",
    "\n",
    "  ",
    "- ",
    "<<: ",
    "null",
    "\ud7ff",
]
INSERTED += [
    "x: y\n",
    ": ",
    "&a ",
    "*a",
    "!!python/object:x ",
    "1e999",
    ".nan",
    "99999999999999999999",
]


def mutate(text: str, seed: int) -> str:
    """Return the text after a few slips: characters lost, doubled, swapped, put in, lines moved."""
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice([0, 1, 1, 2, 5, 40]))
        piece = rng.choice([*INSERTED, "", "", text[start:end] * 2, text[start:end][::-1]])
        text = text[:start] + piece + text[end:]
    return text


@given(st.sampled_from(TEXTS), st.integers(0, 2**32))
def test_a_mutated_plan_gives_a_plan_or_findings_inside_its_file(text: str, seed: int) -> None:
    """Never a traceback, never a second, always a place that exists."""
    changed = mutate(text, seed)
    file = "plan.yaml"

    def load() -> Sequence[Diagnostic]:
        try:
            load_bundle(Bundle(file, {file: changed}), ParamSources())
        except PlanError as error:
            return error.diagnostics
        return ()

    findings = within_cpu(1, load)

    lines = changed.count("\n") + changed.count("\r") + 1
    for finding in findings:
        assert finding.span.file == file
        assert 1 <= finding.span.line <= finding.span.end_line <= lines
        assert finding.span.column >= 1
        assert render(finding).isprintable() or "\n" in render(finding)
