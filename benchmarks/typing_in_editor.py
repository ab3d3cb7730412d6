"""What the language server takes while somebody types: keys are replayed to the real one."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil
from lsprotocol import types

from benchmarks.processes import thread_times
from planrunner.cli.commands.validate import check
from planrunner.cli.plan_options import PlanOptions
from planrunner.compiler.checked import Checked
from planrunner.lsp.findings.diagnostics import diagnostics_of
from tests.support.editors import Editor
from tests.support.plan_views import lines_of

ROOT = Path(__file__).resolve().parent.parent
_TYPED = """
      - task: typed
        steps:
          - get: /x/${rand.int(1, 9)}
            when: users > 3
"""
_KEY_S = 0.08
_TIMED = ("diagnostics_ms", "completion_ms", "loop_ms")
_MOST_WAITING, _MOST_WAITING_S = 0.1, 0.002


def long_plan(lines: int, *, faulty: bool) -> str:
    """Return a plan of so many lines, with a fault in each task where that is wanted."""
    base = (ROOT / "plans" / "stress.yaml").read_text()
    key = "wieght" if faulty else "weight"
    task = """\
      - task: t{n}
        {key}: 1
        steps:
          - get: /x/${{rand.int(1, 9)}}
            name: GET /x{n}
            extract: {{v{n}: $.id}}
"""
    count = (lines - base.count("\n")) // 6
    tasks = "".join(task.format(n=n, key=key) for n in range(count))
    many = f"  Many:\n    weight: 1\n    tasks:\n{tasks}  Buyer:\n"
    return base.replace("  Buyer:\n", many, 1)


def editor(rounds: int, seconds: int) -> dict:
    """Milliseconds to what is wrong, to what can follow, and of the event loop; memory."""
    del seconds
    raw = {
        kind: asyncio.run(_replay(long_plan(2_000, faulty=kind == "faulty"), rounds))
        for kind in ("sound", "faulty")
    }
    return {"summary": [f"{kind}: {_told(one)}" for kind, one in raw.items()], "rounds": raw}


def _told(raw: dict) -> str:
    """Say how long answers took, of those for which no process waited for others."""
    diagnostics, completion, loop = (
        [took for took, is_quiet in raw[name] if is_quiet] or [took for took, _ in raw[name]]
        for name in _TIMED
    )
    left_out = sum(not is_quiet for name in _TIMED for _, is_quiet in raw[name])
    asked = sum(len(raw[name]) for name in _TIMED)
    return (
        f"diagnostics {median(diagnostics):.0f} ms after the last key, completion "
        f"{median(completion):.0f} ms (longest {max(completion):.0f}), the loop at most "
        f"{max(loop):.0f} ms, {raw['rss_mb']:.0f} MB; a check takes {raw['check_cpu_ms']:.0f} ms "
        f"of the processor; {left_out} of {asked} answers left out, as others had the processors"
    )


@asynccontextmanager
async def _timed(client: Editor, into: list[tuple[float, bool]]) -> AsyncIterator[None]:
    """Note how many milliseconds a block takes, and whether it had the processors it wanted.

    It hadn't if the server or this process waited for others for over a tenth of it, and 2 ms.
    """
    processes = (client.pid, os.getpid())
    waited = [thread_times(process)[1] for process in processes]
    began = time.perf_counter()
    yield
    took_s = time.perf_counter() - began
    for process, before in zip(processes, waited, strict=True):
        waited_s = (thread_times(process)[1] - before) / 1e9
        is_quiet = waited_s <= max(_MOST_WAITING_S, _MOST_WAITING * took_s)
        if not is_quiet:
            break
    into.append((1000 * took_s, is_quiet))


async def _replay(text: str, rounds: int) -> dict:
    """Type a task into a plan, key by key, with a completion at each key."""
    with tempfile.TemporaryDirectory() as folder:
        client = Editor()
        await client.start()
        uri = client.open(Path(folder, "plan.yaml"), text)
        await client.found(uri, 1)
        began = time.perf_counter()
        await client.completed(uri, 0)  # which makes the schema
        raw: dict = {"first_ms": 1000 * (time.perf_counter() - began)}
        raw |= {name: [] for name in _TIMED}
        raw["check_cpu_ms"] = await asyncio.to_thread(_check_cpu_ms, Path(folder, "p.yaml"), text)
        gc.freeze()  # else a collection of this process, of 55 ms, counts as the server's
        gc.disable()
        for _ in range(rounds):
            version, at = 1, client.texts[uri][1].index("      - task: t100\n") - 1
            for key in _TYPED[:-1]:
                version = client.edit(uri, at, at, key)
                at += 1
                async with _timed(client, raw["completion_ms"]):
                    await client.completed(uri, at)
                async with _timed(client, raw["loop_ms"]):
                    await _ask_loop(client, uri)
                await asyncio.sleep(_KEY_S)
            async with _timed(client, raw["diagnostics_ms"]):
                version = client.edit(uri, at, at, "\n")
                await client.found(uri, version)
            client.type(uri, text)
        gc.enable()
        raw["rss_mb"] = psutil.Process(client.pid).memory_info().rss / 1e6
        await client.end()
        return raw


def _check_cpu_ms(path: Path, text: str, tries: int = 8) -> float:
    """Return the processor time of a check: the least, which depends little on other work."""
    taken = []
    for _ in range(tries):
        gc.collect()  # else the garbage of others is looked for meanwhile
        began = time.thread_time()
        check(path, PlanOptions(), text=text)
        taken.append(1000 * (time.thread_time() - began))
    return min(taken)


async def _ask_loop(client: Editor, uri: str) -> None:
    """Ask what the event loop of the server answers itself."""
    nowhere = types.Range(types.Position(0, 0), types.Position(0, 0))
    await client.client.text_document_code_action_async(
        types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            nowhere,
            types.CodeActionContext([], only=[types.CodeActionKind.QuickFix]),
        )
    )


# --- random edits -----------------------------------------------------------------------------


@dataclass
class ToldByEdits:
    """What random edits have shown.

    Attributes:
        wrong: Texts about which the server said anything but what `validate` says.
        slowest_ms: The longest that a completion took.
        rss_mb: The memory of the server after each hundred edits.
    """

    edits: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0
    rss_mb: list[float] = field(default_factory=list)


_MOST_MENDED = 3
_PIECES = (*"\n :{}[\"'x#é", "  ", "- ", "${", "p95 of ", "1s")


async def random_edits(
    client: Editor, path: Path, text: str, *, edits: int = 10**9, seconds: float = 10**9
) -> ToldByEdits:
    """Change a text at random; ask for what can follow, and compare findings with `validate`."""
    draw, told, until = random.Random(7), ToldByEdits(), time.monotonic() + seconds
    uri = client.open(path, text)
    while told.edits < edits and time.monotonic() < until:
        now = client.texts[uri][1]
        start = draw.randrange(len(now) + 1)
        end = min(len(now), start + draw.choice((0, 0, 0, 1, 3, 20)))
        version = client.edit(uri, start, end, draw.choice(_PIECES))
        told.edits += 1
        began = time.perf_counter()
        await client.completed(uri, min(start + 1, len(client.texts[uri][1])))
        told.slowest_ms = max(told.slowest_ms, 1000 * (time.perf_counter() - began))
        if told.edits % 5 == 0:
            await _compare(client, uri, version, path, told)
        if told.edits % 20 == 0:
            client.type(uri, text)
        if told.edits % 100 == 0:
            told.rss_mb.append(round(psutil.Process(client.pid).memory_info().rss / 1e6, 1))
    return told


async def _compare(client: Editor, uri: str, version: int, path: Path, told: ToldByEdits) -> None:
    """Note a text about which the server and `validate` differ."""
    text = client.texts[uri][1]
    found = await asyncio.wait_for(client.found(uri, version), 30)
    checked = await asyncio.to_thread(_checked, path, text)
    places = {str(path): lines_of(text)}
    wanted = diagnostics_of(checked, str(path), lambda name: places.get(name, lines_of("")))
    for one in found[:_MOST_MENDED]:  # an error of the server is raised here
        context = types.CodeActionContext([one])
        document = types.TextDocumentIdentifier(uri)
        await client.client.text_document_code_action_async(
            types.CodeActionParams(document, one.range, context)
        )
    said = sorted((one.range.start.line, one.message) for one in found)
    if said != sorted((one.range.start.line, one.message) for one in wanted.get(str(path), ())):
        told.wrong.append(text)


def _checked(path: Path, text: str) -> Checked:
    path.write_text(text, encoding="utf-8", newline="")
    return check(path, PlanOptions())


async def _edit_for(seconds: float) -> ToldByEdits:
    with tempfile.TemporaryDirectory() as folder:
        client = Editor()
        await client.start()
        text = (ROOT / "plans" / "etcd-helper.yaml").read_text()
        told = await random_edits(client, Path(folder, "plan.yaml"), text, seconds=seconds)
        await client.end()
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description="Edit a plan at random, beside `validate`.")
    parser.add_argument("--seconds", type=float, default=600)
    told = asyncio.run(_edit_for(parser.parse_args().seconds))
    print(f"{told.edits} edits, {len(told.wrong)} wrong, slowest {told.slowest_ms:.0f} ms")
    print(f"memory in MB after each 100 edits: {told.rss_mb}")
    for text in told.wrong[:3]:
        print("---\n" + text)


if __name__ == "__main__":
    main()
