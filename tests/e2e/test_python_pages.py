"""What pages show in Python runs as it is written, and is typed as strictly as a user may be."""

from __future__ import annotations

import asyncio
import doctest
import inspect
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import planrunner
import planrunner.pytest_plugin
from planrunner.python.reference import python_page
from tests.support.doc_pages import ROOT, blocks_of
from tests.support.http_servers import HttpServer
from tests.support.user_types import strictly_checked

HOW_TO = ROOT / "docs" / "how-to"
PAGES = (HOW_TO / "use-from-python.md", HOW_TO / "bridge.md")
HOST = "http://127.0.0.1:8000"
EVERY_NAME = ROOT / "tests" / "support" / "every_name.py"
NAMES = ("bridge.py", "example.py", EVERY_NAME.name)
SHOP = f"""\
name: shop
params: {{users: {{type: int, default: 3}}}}
http: {{base_url: {HOST}}}
users: {{Visitor: {{tasks: [{{get: /products}}]}}}}
phases: [{{name: main, users: "${{users}}", iterations: 60}}]
"""


def examples_of(page: Path, folder: Path) -> str:
    """Return the examples of a page as one program, in a folder with the files that it shows."""
    blocks = list(blocks_of(page))
    for block in blocks:
        if block.title:
            (folder / block.title).write_text(block.text, "utf-8")
    return "\n".join(block.text for block in blocks if block.language == "python")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_the_examples_of_a_page_run(
    page: Path, target: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From top to bottom, as in a notebook; loads last seconds and not minutes."""
    shorter = examples_of(page, tmp_path).replace(HOST, target.url)
    for name, seconds in (("duration", 2), ("step_duration", 1), ("ramp_up", 0)):
        shorter = re.sub(rf"\b{name}=\d+", f"{name}={seconds}", shorter)
    monkeypatch.chdir(tmp_path)

    exec(compile(shorter, str(page), "exec"), {"__name__": "example"})


@pytest.mark.slow(seconds=15)
def test_the_examples_are_typed(tmp_path: Path) -> None:
    """In a project of a user, with mypy's strictest settings."""
    (tmp_path / "bridge.py").write_text(examples_of(PAGES[1], tmp_path), "utf-8")
    shutil.copy(EVERY_NAME, tmp_path)
    (tmp_path / "example.py").write_text(
        examples_of(PAGES[0], tmp_path)
        + "\nreveal_type(result.requests)\nreveal_type(products.p95)\nreveal_type(products.count)\n"
        + "planrunner.run('shop.yaml', profil='a')\nplanrunner.run('shop.yaml', seed='a')\n",
        "utf-8",
    )

    checked = strictly_checked(tmp_path, *NAMES)

    lines = [line.partition(": ")[2] for line in checked.stdout.splitlines()]
    revealed = re.findall(r'Revealed type is "(.*?)"', checked.stdout)
    errors = [line for line in lines if line.startswith("error")]
    assert [text.replace("builtins.", "") for text in revealed] == [
        "planrunner.python.results.figures.FiguresByName[planrunner.python.results.figures.Figures]",
        "planrunner.python.results.elapsed.Elapsed",
        "int",
    ]
    assert len(errors) == 2, checked.stdout + checked.stderr
    assert 'Unexpected keyword argument "profil"' in errors[0]
    assert 'Argument "seed" to "run" has incompatible type "str"' in errors[1]


def test_each_public_name_is_typed_by_an_example() -> None:
    """The one that mypy looks at in `test_the_examples_are_typed`."""
    text = EVERY_NAME.read_text("utf-8")

    assert [name for name in planrunner.__all__ if f"planrunner.{name}" not in text] == []
    assert [name for name in planrunner.pytest_plugin.__all__ if name not in text] == []


def test_the_reference_is_made_from_the_code() -> None:
    """`make schema` writes it."""
    page = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")

    assert page == python_page()


def test_the_reference_has_every_public_name() -> None:
    """With its arguments and errors."""
    page = python_page()

    for name in planrunner.__all__:
        assert name == "__version__" or f"### planrunner.{name}\n" in page


EXAMPLES = [
    name for name in planrunner.__all__ if ">>>" in (getattr(planrunner, name).__doc__ or "")
]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_name_runs(
    name: str, target: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And shows what it gives."""
    monkeypatch.chdir(tmp_path)
    Path("shop.yaml").write_text(SHOP.replace(HOST, target.url), "utf-8")
    text = inspect.getdoc(getattr(planrunner, name)) or ""
    names = {"planrunner": planrunner, "asyncio": asyncio, "timedelta": timedelta}
    example = doctest.DocTestParser().get_doctest(
        text.replace(HOST, target.url), names, name, None, None
    )
    said: list[str] = []

    failed, tried = doctest.DocTestRunner().run(example, out=said.append)

    assert tried
    assert not failed, "".join(said)


def test_importing_the_package_imports_nothing_else() -> None:
    """Each name costs its import when it is used first."""
    code = "import planrunner, sys; print(sorted(m for m in sys.modules if 'planrunner' in m))"

    out = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert out.strip() == "['planrunner']"


def test_importing_the_package_costs_less_than_60_ms() -> None:
    """Less than 60 ms; the least of five, as what else runs only adds to it."""
    environment = {"PYTHONPATH": str(ROOT)}
    code = (
        "import time; began = time.process_time(); import planrunner;"
        "print(time.process_time() - began)"
    )

    took = [
        float(subprocess.check_output([sys.executable, "-c", code], env=environment))
        for _ in range(5)
    ]

    assert min(took) < 0.06


def test_a_name_is_imported_with_collection_as_it_was() -> None:
    """It pauses meanwhile, as in the command."""
    code = (
        "import gc, planrunner; planrunner.Elapsed; on = gc.isenabled();"
        "gc.disable(); planrunner.UsageError; print(on, gc.isenabled())"
    )

    out = subprocess.check_output(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, text=True
    )

    assert out.strip() == "True False"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "gc.freeze();"])
def test_what_was_imported_is_not_looked_through_again(first: str) -> None:
    """It would be by the next collection, in the midst of a run; what is frozen stays so."""
    code = (
        f"import gc, planrunner; {first} planrunner.run;"
        "print(sum(len(gc.get_objects(n)) for n in (0, 1)) < 5_000, gc.get_freeze_count() > 0)"
    )

    out = subprocess.check_output(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, text=True
    )

    assert out.strip() == f"{not first} {bool(first)}"
