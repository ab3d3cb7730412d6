"""All that a plan reads while it runs is there on a host that has nothing of its folder."""

from __future__ import annotations

import ast
import asyncio
import pickle
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path

import pytest

import planrunner
from planrunner.cluster.files import manifest as manifest_module
from planrunner.cluster.files.manifest import needed_files
from planrunner.cluster.files.sending import Delivery, bring, packed
from planrunner.cluster.files.store import HostStore
from planrunner.compiler import GraphSource, PlanSelection
from planrunner.engine.workers.messages import fingerprint
from planrunner.errors import CannotRun
from planrunner.plan.host_files import HostFiles
from planrunner.plan.loader import load, load_bundle
from planrunner.results.model import RunResult
from planrunner.runner import RunRequest, run
from tests.support.host_stores import StoreCalls
from tests.support.http_servers import Certificates, Request, Wire, reply, serve
from tests.support.plans import plan_text

PLAN = """
params: {key: {type: str, env: SHOP_KEY, secret: true}}
imports: [../shared/more.yaml]
hooks: lib/hooks.py
data:
  people: {csv: data/people.csv, per: iteration, secret: [password]}
users:
  u:
    steps:
      - get: /${people.name}
        expect: {schema: schemas/reply.json}
      - post: /body
        body_file: body.bin
      - post: /upload
        multipart: {fixed: {file: pictures/a.png}, chosen: {file: "pictures/${people.picture}"}}
      - python: {call: sign, args: {file: notes.txt}, as: signed}
      - python: {call: "calls.deep.more:twice", args: {word: "${signed}"}, as: doubled}
      - exec: {run: ./tool.sh one, as: told}
      - get: /said/${doubled}/${told}
      - call: shared
phases: [{users: 1, iterations: 2}]
"""
FILES = {
    "plans/lib/hooks.py": "import helper, pathlib\n"
    "def sign(file): return helper.WORD + pathlib.Path(file).read_text()",
    "plans/lib/helper.py": "from pathlib import Path\n"
    "WORD = Path(__file__).with_name('word.txt').read_text()",
    "plans/lib/word.txt": "w",
    "plans/calls/deep/more.py": "from shop import suffix\ndef twice(word): return word + suffix()",
    "plans/shop/__init__.py": "from pathlib import Path\n"
    "def suffix(): return (Path(__file__).parent / 'data' / 'suffix').read_text()",
    "plans/shop/data/suffix": "s",
    "plans/data/people.csv": "name,picture,password\nann,b.png,hush-1\nben,c.png,hush-2\n",
    "plans/schemas/reply.json": '{"type": "object"}',
    "plans/body.bin": "all of it",
    "plans/pictures/a.png": "AAA",
    "plans/pictures/b.png": "BBB",
    "plans/pictures/c.png": "CCC",
    "plans/pictures/.thumbs/d.png": "",
    "plans/notes.txt": "n",
    "plans/tool.sh": "#!/bin/sh\nprintf %s-$1 t",
    "shared/more.yaml": "flows: {shared: {do: [{post: /shared, body_file: 'own.json'}]}}",
    "shared/own.json": "{}",
}


class Home:
    """The folder of a plan, and what was found out about it; it can be taken away."""

    def __init__(self, folder: Path, url: str, http: str = "") -> None:
        self.folder = folder
        for name, text in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / "plans/tool.sh").chmod(0o755)
        text = plan_text(f"http: {{base_url: '{url}'{http}}}", PLAN)
        (folder / "plans/plan.yaml").write_text(text)
        environ = {"SHOP_KEY": "of the plan", "OTHER_KEY": "of somebody else"}
        plan = load("plan.yaml", environ=environ, need_secrets=True)
        selection = PlanSelection()
        self.source = GraphSource(plan.bundle, plan.sources, selection, 3, {}, folder)
        self.graph = self.source.compile()

    async def sent_to(self, store: HostStore) -> HostFiles:
        async with packed(self.source, self.graph, [[0]]) as (manifest,):
            (host,) = await bring([Delivery("far", "m", StoreCalls(store), manifest)])
        return host


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with spaces in its path; its `plans` is the current one."""
    folder = tmp_path / "my home"
    (folder / "plans").mkdir(parents=True)
    monkeypatch.chdir(folder / "plans")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HostStore]:
    with closing(HostStore(tmp_path / "far away")) as store:
        yield store


async def answer(request: Request, wire: Wire) -> None:
    del request
    await wire.send(reply(200, b"{}", ("Content-Type", "application/json")))


@pytest.mark.slow
def test_a_plan_runs_where_nothing_of_its_folder_is(
    folder: Path, store: HostStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files, bodies, schemas, certificates, modules and commands; its fingerprint is one."""
    certificates = Certificates.make(folder)

    async def main() -> tuple[RunResult, list[Request], HostFiles]:
        async with serve(answer, tls=certificates.demanding_server) as server:
            url = server.url.replace("http:", "https:").replace("127.0.0.1", "localhost")
            home = Home(folder, url, ", ca: ../ca.pem, cert: ../client.pem")
            host = await home.sent_to(store)
            folder.rename(folder.with_name("gone"))  # noqa: ASYNC240 - at once
            monkeypatch.chdir(host.working_directory)
            there = pickle.loads(pickle.dumps(home.source.on(host)))
            assert there.sources.environ == {"SHOP_KEY": "of the plan"}
            assert fingerprint(there.compile()) == fingerprint(home.graph)
            plan = load_bundle(there.bundle, there.sources)
            result = await run(RunRequest(plan, directory=folder.with_name("run"), formats=()))
            return result, server.requests, host

    result, requests, host = asyncio.run(main())

    assert (result.totals.failed_requests, result.totals.total_requests) == (0, 10)
    paths = [request.target for request in requests]
    assert paths[:5] == ["/ann", "/body", "/upload", "/said/wns/t-one", "/shared"]
    assert requests[1].body == b"all of it"
    assert b"AAA" in requests[2].body
    assert (b"BBB" in requests[2].body, b"CCC" in requests[7].body) == (True, True)
    assert b'filename="b.png"' in requests[2].body
    assert host.shown(f"no `{host.tree}/x`") == "no `/x`"


def test_secrets_are_not_kept(folder: Path, tmp_path: Path) -> None:
    """Keys and tables with secret columns are gone with the run; other files wait for the next."""
    Certificates.make(folder)
    home = Home(folder, "https://localhost:1", ", cert: {cert: ../client.pem, key: ../client.pem}")
    far = tmp_path / "far"

    with closing(HostStore(far)) as store:
        host = asyncio.run(home.sent_to(store))
        assert "hush" in host.place("data/people.csv").read_text()
        assert host.place("../client.pem").stat().st_mode & 0o777 == 0o400
    kept = [path.read_bytes() for path in far.rglob("*") if path.is_file()]

    assert b"all of it" in kept
    assert not [one for one in kept if b"hush" in one or b"PRIVATE KEY" in one]
    assert far.stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_sent_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, store: HostStore
) -> None:
    """Too many files to choose from, a package that is too large, a file that has gone."""
    home = Home(folder, "http://127.0.0.1:1")
    plan = load_bundle(home.source.bundle, home.source.sources)

    (folder / "plans/notes.txt").unlink()
    (folder / "plans/body.bin").unlink()
    with pytest.raises(CannotRun, match=r"`.*/plans/body.bin` does not exist"):
        asyncio.run(home.sent_to(store))
    monkeypatch.setattr(manifest_module, "_MOST_CHOSEN", 2)
    with pytest.raises(CannotRun, match=r"more than 2 files with `pictures/\$\{…\}`"):
        needed_files(plan, home.graph)


def test_workers_of_this_machine_may_start_anywhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They find the files of a plan that was named by a relative path."""
    home, here = Home(folder, "http://127.0.0.1:1"), HostFiles.here()
    monkeypatch.chdir(tmp_path)

    graph = home.source.on(here).compile()

    assert fingerprint(graph) == fingerprint(home.graph)
    assert here.working_directory == folder / "plans"
    assert here.shown("`/a/b`") == "`/a/b`"
    assert graph.data[0].path == str(folder / "plans/data/people.csv")


def test_a_host_finds_nothing_else(folder: Path, store: HostStore) -> None:
    """A name that was not sent is no file there, even if the host has one under this path."""
    home = Home(folder, "http://127.0.0.1:1")
    host = asyncio.run(home.sent_to(store))
    (folder / "plans/pictures/late.png").write_text("late")
    files = home.source.bundle.on(host).beside("plan.yaml")

    assert files.path("pictures/a.png") == host.tree / str(folder / "plans/pictures/a.png")[1:]
    for name in ("pictures/late.png", "pictures/.thumbs/d.png", str(folder / "shared/none")):
        with pytest.raises(Exception, match="does not exist"):
            files.path(name)


def test_what_lies_behind_links_is_the_right_file(
    folder: Path, store: HostStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`..` behind a link leads to another folder than its text says; two files never become one."""
    (folder / "elsewhere/deep").mkdir(parents=True)
    (folder / "elsewhere/own.txt").write_text("there")
    (folder / "plans/link").symlink_to(folder / "elsewhere/deep")
    home = Home(folder, "http://127.0.0.1:1")
    files = home.source.bundle.beside("plan.yaml")

    files.path("link/../own.txt")
    host = asyncio.run(home.sent_to(store))
    there = home.source.bundle.on(host).beside("plan.yaml")
    (folder / "plans/own.txt").write_text("here")
    files.path("own.txt")

    assert there.path("link/../own.txt").read_text() == "there"
    with pytest.raises(CannotRun, match=r"`link/../own.txt` and `own.txt` would be one file"):
        asyncio.run(home.sent_to(store))


READERS = {"open", "open_file", "read_file", "check_file", "FileIO", "read_bytes"}
READERS |= {"load_cert_chain", "create_default_context"}
DOORS = {
    "compiler/load/tool_phases.py": "scripts of tools, which run where the coordinator is",
    "plan/bundle.py": "the door itself",
    "plan/yaml/files.py": "texts of the plan, which travel in its bundle",
    "plan/params/env_file.py": "read before the plan is, and its values travel",
    "data/*.py": "`DataNode.path`, from `NamedFiles.table`",
    "protocols/grpc/schema/protos.py": "what protoc wrote for files of `NamedFiles.read`",
    "protocols/over_grpc/channels.py": "certificates, as the clients below",
    "protocols/*/clients/*.py": "paths that the protocol's compiler had from `NamedFiles.path`",
    "protocols/python/*.py": "modules, found in `NamedFiles.modules`; /proc",
}


def test_nothing_opens_files_but_through_the_door() -> None:
    """A new reader of files is added here with the reason why other hosts have the file, too."""
    home = Path(planrunner.__file__).parent
    found = set()
    for layer in ("compiler", "data", "engine", "graph", "plan", "protocols"):
        for path in (home / layer).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                called = node.func if isinstance(node, ast.Call) else None
                is_method = isinstance(called, ast.Attribute) and called.attr != "open"
                if getattr(called, "attr" if is_method else "id", "") in READERS:
                    found.add(path.relative_to(home).as_posix())

    unknown = [path for path in sorted(found) if not any(fnmatch(path, door) for door in DOORS)]

    assert unknown == []
    assert [door for door in DOORS if not any(fnmatch(path, door) for path in found)] == []
