"""etcd3's stubs with any protobuf, in processes of their own: imports leave traces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LOAD = "from planrunner.protocols.etcd.stubs import load_stubs; s = load_stubs(); "


def python(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    ahead = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}; "
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", ahead + code],
        capture_output=True,
        text=True,
        check=False,
    )


def test_messages_are_upb() -> None:
    """A pure Python protobuf would slow the client down and so falsify what it measures."""
    done = python(
        LOAD + "from google.protobuf.internal import api_implementation as a; "
        "print(a.Type(), type(s.RangeResponse()).__mro__[1].__module__)"
    )

    assert done.stdout.split() == ["upb", "google._upb._message"], done.stderr


def test_a_message_survives_the_wire() -> None:
    """Descriptors that were built anew describe the same bytes."""
    done = python(
        LOAD + "m = s.PutRequest(key=b'k', value=b'v', lease=7); "
        "print(s.PutRequest.FromString(m.SerializeToString()).lease)"
    )

    assert done.stdout.strip() == "7", done.stderr


def test_etcd3_itself_can_be_imported_afterwards() -> None:
    """Hooks may use it."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD + "import etcd3; print(etcd3.etcdrpc is s)"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "True", done.stderr


def test_a_plan_without_etcd_imports_none_of_it() -> None:
    """It costs 150 ms that nobody else should pay."""
    done = python(
        "import planrunner.cli.commands.execute, planrunner.compiler, planrunner.engine; "
        "print([n for n in sys.modules if n.split('.')[0] in ('grpc', 'etcd3')])"
    )

    assert done.stdout.strip() == "[]", done.stderr


def test_a_missing_package_is_named() -> None:
    """The message says what to install."""
    done = python(
        "import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'etcd3' else find(name, *a)\n"
        "from planrunner.errors import CannotRun\n"
        "from planrunner.protocols.etcd.stubs import load_stubs\n"
        "try: load_stubs()\n"
        "except CannotRun as e: print(e.message, '|', e.hint)"
    )

    assert "etcd steps need the package etcd3 | pip install 'etcd3==0.12.0'" in done.stdout


def test_another_shape_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A later etcd3 must not fail with a KeyError of ours."""
    inside = tmp_path / "etcd3" / "etcdrpc"
    inside.mkdir(parents=True)
    (tmp_path / "etcd3" / "__init__.py").write_text("")
    for name in ("kv", "auth", "rpc"):
        (inside / f"{name}_pb2.py").write_text("DESCRIPTOR = None\n")
    done = python(
        "from planrunner.errors import CannotRun\n"
        "from planrunner.protocols.etcd.stubs import load_stubs\n"
        "try: load_stubs()\n"
        "except CannotRun as e:\n"
        "  print(e.message); print([n for n in sys.modules if 'etcdrpc' in n])",
        tmp_path,
    )

    assert "does not have the shape that planrunner expects" in done.stdout, done.stderr
    assert "kv_pb2.py has no serialized_pb" in done.stdout
    assert done.stdout.rstrip().endswith("[]")
