"""`planrunner mcp`: a client of the protocol uses plans as an assistant does."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import ElicitResult

from planrunner.mcp.server import make_server
from planrunner.mcp.workplace import Workplace

PLAN = """\
name: shop
params:
  password: {type: str, secret: true, default: correct-horse}
services:
  shop: {demo: shop}
http: {base_url: "${services.shop.url}", headers: {X-Key: "${password}"}}
users:
  Reader: {tasks: [{task: look, steps: [get: /products]}]}
phases:
  - {name: calm, users: 2, iterations: 3}
thresholds:
  - error_rate < 1%
"""

pytestmark = pytest.mark.slow  # each answer is a process


def talk(server: Any, scenario: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def session() -> None:
        async with Client(server, **options) as client:
            await scenario(client)

    asyncio.run(session())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my plans"
    folder.mkdir()
    (folder / "shop.yaml").write_text(PLAN)
    return folder


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0])


def test_an_assistant_finds_its_way_over_stdio(folder: Path) -> None:
    """From what there is to read to the result of a run that a person has agreed to."""
    asked: list[str] = []

    async def agree(_: object, question: Any) -> ElicitResult:
        asked.append(question.message)
        return ElicitResult(action="accept", content={"start": True})

    async def scenario(client: Client) -> None:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        language = (await client.read_resource("planrunner://language")).contents[0]
        names = (await client.read_resource("planrunner://names/shop.yaml")).contents[0]
        checked = await told(client, "validate", plan="shop.yaml")
        tried = await told(client, "run_once", plan="shop.yaml")
        ran = await told(client, "run", plan="shop.yaml")
        [run] = (await told(client, "history"))["answer"]
        again = await told(client, "results", run=run["directory"], parts=["totals", "run_id"])
        gone = await told(client, "results", run="reports/gone")

        assert tools == {
            *("validate", "explain", "run_once", "run"),
            *("results", "history", "compare", "import"),
        }
        assert "# Reference: the plan language" in language.text
        assert json.loads(names.text)["tasks"] == ["look"]
        assert (checked["exit_code"], checked["answer"]) == (0, [])
        assert tried["answer"][-1]["requests"] == 1
        assert "correct-horse" not in json.dumps(tried)
        assert (ran["means"], ran["answer"]["totals"]["total_requests"]) == ("ok", 3)
        assert gone["means"] == "the plan or what was asked for is invalid"
        assert "series" not in ran["answer"]
        assert again["answer"] == {
            "totals": ran["answer"]["totals"],
            "run_id": ran["answer"]["run_id"],
        }
        assert len(asked) == 1
        assert "- calm: counted" in asked[0]

    command = ["-m", "planrunner", "mcp", "--folder", str(folder)]
    server = stdio_client(StdioServerParameters(command=sys.executable, args=command))
    talk(server, scenario, elicitation_callback=agree)


@pytest.mark.parametrize("answer", ["decline", "no"])
def test_nothing_is_sent_without_consent(folder: Path, answer: str) -> None:
    async def decline(_: object, __: object) -> ElicitResult:
        if answer == "decline":
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"start": False})

    async def scenario(client: Client) -> None:
        assert "nothing was sent" in await refused(client, "run", plan="shop.yaml")
        assert not (folder / "reports").exists()

    server = make_server(Workplace(folder, ("own",)))
    talk(server, scenario, elicitation_callback=decline)


def test_a_client_that_cannot_ask_is_told_what_to_do(folder: Path) -> None:
    async def scenario(client: Client) -> None:
        words = await refused(client, "run", plan="shop.yaml")
        assert "planrunner execute shop.yaml" in words
        assert "--no-ask" in words

    talk(make_server(Workplace(folder, ("own",))), scenario)


def test_only_hosts_of_ones_own_are_loaded_and_nothing_is_run(folder: Path) -> None:
    """And no file outside the folder is named."""
    far = PLAN.replace('"${services.shop.url}"', "http://192.0.2.1.example")
    (folder / "far.yaml").write_text(far)
    (folder / "runs.yaml").write_text(PLAN.replace("demo: shop", "run: touch gone"))
    (folder.parent / "outside.yaml").write_text(PLAN)

    async def scenario(client: Client) -> None:
        sent = await told(client, "run", plan="far.yaml")
        once = await told(client, "run_once", plan="far.yaml")
        ran = await told(client, "run_once", plan="runs.yaml")
        assert "--only-hosts does not allow `192.0.2.1.example`" in sent["messages"]
        assert (sent["exit_code"], once["exit_code"], ran["exit_code"]) == (2, 2, 2)
        assert "--no-exec" in ran["messages"]
        assert "outside" in await refused(client, "validate", plan="../outside.yaml")
        assert "outside" in await refused(client, "results", run="/etc")
        with pytest.raises(MCPError, match="Unknown resource"):
            await client.read_resource("planrunner://names/%2Fetc%2Fpasswd")

    talk(make_server(Workplace(folder, ("own",), asks=False)), scenario)
    assert not (folder / "gone").exists()


def test_an_import_says_what_is_lost(folder: Path) -> None:
    (folder / "t.sh").write_text("curl -X POST http://127.0.0.1:1/orders -d id=1 --tcp-fastopen\n")

    async def scenario(client: Client) -> None:
        answered = await told(client, "import", files=["t.sh"], format="curl")
        written = await told(client, "import", files=["t.sh"], format="curl", output="new.yaml")
        assert "/orders" in answered["plan"]
        assert answered["report"] == written["report"]
        assert (written["plan"], (folder / "new.yaml").exists()) == ("", True)

    talk(make_server(Workplace(folder, ("own",))), scenario)


def test_a_run_that_nobody_waits_for_any_more_ends(folder: Path) -> None:
    long = PLAN.replace("iterations: 3", "hold: 10m")
    (folder / "long.yaml").write_text(long)

    async def scenario(client: Client) -> None:
        call = asyncio.create_task(client.call_tool("run", {"plan": "long.yaml"}))
        while not [*(folder / "reports").glob("*/*/samples.bin")]:
            await asyncio.sleep(0.02)
        call.cancel()
        await asyncio.wait([call])

    talk(make_server(Workplace(folder, ("own",), asks=False)), scenario)
    [run] = (folder / "reports").glob("*/*/metrics.json")
    assert "interrupted" in json.loads(run.read_text())["ended_because"]
