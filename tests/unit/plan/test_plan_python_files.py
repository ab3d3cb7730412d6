"""Which Python files of its author a plan can come to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.plan.loader import load
from planrunner.plan.python_files import python_files
from planrunner.protocols.python import author_files as module
from planrunner.protocols.python.author_files import author_files
from planrunner.protocols.python.functions import lacking


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def reached(folder: Path, *modules: str) -> list[str]:
    hooks = folder / "hooks.py"
    found = author_files([hooks] if hooks.exists() else [], modules, [folder])
    return [file.relative_to(folder.resolve()).as_posix() for file in found.files]


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    """At the top, inside functions, by literal names, and from one module to the next."""
    write(
        tmp_path,
        {
            "hooks.py": "import json, numpy, first as one\n"
            "def f():\n    from second import name\n    import importlib\n"
            "    return importlib.import_module('third'), importlib.import_module(name)",
            "first.py": "try:\n    from spaces.inner import deep\nexcept ImportError: pass",
            "second.py": "x = __import__('fourth')",
            "third.py": "this is no Python (",
            "fourth.py": "import hooks, first",
            "unused.py": "",
            "spaces/inner/deep.py": "from . import beside\nfrom ... import outside",
            "spaces/inner/beside.py": "",
            "spaces/inner/unused.py": "",
        },
    )

    assert reached(tmp_path) == [
        "first.py",
        "fourth.py",
        "hooks.py",
        "second.py",
        "spaces/inner/beside.py",
        "spaces/inner/deep.py",
        "third.py",
    ]
    assert lacking("spaces.inner.deep:outside", [tmp_path]) is None


def test_packages_are_whole_and_files_beside_a_module_belong_to_it(tmp_path: Path) -> None:
    """Data of a package, what a text names, and what a part of a package imports from outside."""
    write(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/words.txt": "a",
            "shop/deep/__init__.py": "",
            "shop/deep/part.py": "import beside\nfrom ..other import x",
            "shop/__pycache__/part.pyc": "",
            "shop/.cache/x.py": "",
            "shop/other.py": "",
            "beside.py": "open('names.csv'); '../up.txt'; 'none.txt'; '/etc/x.y'",
            "names.csv": "a",
            "site-packages/far.py": "",
        },
    )

    assert reached(tmp_path, "shop.deep", "site-packages.far", "json", "none", "..", "") == [
        "beside.py",
        "names.csv",
        "shop/__init__.py",
        "shop/deep/__init__.py",
        "shop/deep/part.py",
        "shop/other.py",
        "shop/words.txt",
    ]


def test_a_package_without_bounds_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of it, only what is imported is found; links that lead around in it do no harm."""
    monkeypatch.setattr(module, "_MOST_FILES", 3)
    write(tmp_path, {"big/__init__.py": "from big import a", "big/a.py": "", "big/b/c.txt": ""})
    (tmp_path / "big/b/around").symlink_to(tmp_path / "big")
    (tmp_path / "big/b/nowhere").symlink_to(tmp_path / "nowhere")

    found = author_files([], ["big"], [tmp_path])

    assert [path.name for path in found.files] == ["__init__.py", "a.py"]
    assert found.too_large == (tmp_path / "big",)


def test_a_plan_has_its_hooks_and_the_modules_that_its_steps_call(tmp_path: Path) -> None:
    """Also where hooks are a link: Python imports what lies beside the file itself."""
    write(
        tmp_path,
        {
            "plans/plan.yaml": "name: p\nhooks: hooks.py\n"
            "flows:\n  f:\n    do:\n      - repeat: 2\n"
            "        do:\n          - python: 'calls.deep:f'\n"
            "users: {u: {steps: [{call: f}, {python: sign}, {python: 'json:dumps'}]}}\n"
            "phases: [{users: 1, iterations: 1}]\n",
            "plans/calls/deep.py": "",
            "code/hooks.py": "import beside\ndef sign(): open('words.txt')",
            "plans/words.txt": "",
            "code/beside.py": "",
        },
    )
    (tmp_path / "plans/hooks.py").symlink_to(tmp_path / "code/hooks.py")

    found = python_files(load(tmp_path / "plans/plan.yaml", environ={}))

    names = [file.relative_to(tmp_path.resolve()).as_posix() for file in found.files]
    assert names == ["code/beside.py", "code/hooks.py", "plans/calls/deep.py", "plans/words.txt"]


def test_a_plan_without_functions_has_none(tmp_path: Path) -> None:
    """Whatever Python files lie beside it."""
    write(
        tmp_path,
        {
            "plan.yaml": "name: p\nusers: {u: {steps: [{think: 1s}]}}\n"
            "phases: [{users: 1, hold: 1s}]\n",
            "a.py": "",
        },
    )

    assert python_files(load(tmp_path / "plan.yaml", environ={})).files == ()
