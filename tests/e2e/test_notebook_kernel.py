"""A real notebook kernel, without a terminal: progress while a run lasts, then its result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.doc_pages import ROOT
from tests.support.http_servers import HttpServer

CELLS = (
    """
import planrunner
plan = planrunner.Plan(
    name="shop", http={"base_url": URL}, users={"Visitor": {"tasks": [{"get": "/products"}]}},
    phases=[{"name": "main", "users": 2, "hold": "1500ms"}], thresholds=["p95 < 5s"],
)
result = planrunner.run(plan)
""",
    "result",
    "(await planrunner.run_async(plan)).passed",
    """
from threading import Thread
found = []
runs = [Thread(target=lambda: found.append(planrunner.run(plan).passed)) for _ in range(2)]
for run in runs:
    run.start()
for run in runs:
    run.join()
found
""",
)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_notebook_shows_progress_and_results(
    target: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the cell that asked, whether it waits, awaits or has threads; nothing is printed."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    cells = [f"URL = {target.url!r}\n{CELLS[0]}", *CELLS[1:]]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    client = nbclient.NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}
    )
    lines: list[tuple[int, str]] = []
    process = client.process_message

    def note(message: dict[str, Any], cell: object, index: int) -> object:
        if "display_data" in message["msg_type"]:
            lines.append((index, message["content"]["data"]["text/plain"]))
        return process(message, cell, index)

    monkeypatch.setattr(client, "process_message", note)

    client.execute()

    kinds = [[one["output_type"] for one in cell.outputs] for cell in notebook.cells]
    assert kinds == [
        ["display_data"],
        ["execute_result"],
        ["display_data", "execute_result"],
        ["display_data", "display_data", "execute_result"],
    ]
    for index in (0, 2, 3):
        shown = [line for number, line in lines if number == index]
        assert (shown[0], shown[-1]) == ("starting", "")
        assert any(line.startswith("main: 2 users · ") for line in shown)
    assert "PASS" in notebook.cells[1].outputs[0].data["text/html"]
    assert notebook.cells[2].outputs[-1].data["text/plain"] == "True"
    assert notebook.cells[3].outputs[-1].data["text/plain"] == "[True, True]"
