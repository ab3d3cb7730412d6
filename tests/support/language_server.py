"""Drives yaml-language-server over stdio, as an editor does."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

__all__ = ["CURSOR", "LanguageServer"]

CURSOR: Final = "█"
"""Marks where the author's cursor is in a text."""

_PATIENCE_S: Final = 30

_CAPABILITIES: Final = {
    "workspace": {"configuration": True, "didChangeConfiguration": {}},
    "textDocument": {
        "synchronization": {},
        "completion": {
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown", "plaintext"],
            }
        },
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "publishDiagnostics": {},
    },
}


class LanguageServer:
    """One server process; documents named `*.plan.yaml` are plans."""

    def __init__(self, script: Path, schema: Path) -> None:
        yaml = {
            "validate": True,
            "hover": True,
            "completion": True,
            "schemaStore": {"enable": False},
            "format": {"enable": False},
            "schemas": {schema.resolve().as_uri(): "*.plan.yaml"},
        }
        self._settings: Mapping[str, object] = {"yaml": yaml}
        self._process = subprocess.Popen(
            ["node", str(script), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._replies: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._diagnostics: dict[str, queue.Queue[list[dict[str, Any]]]] = {}
        self._opened = 0
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        self._request(
            "initialize", {"processId": None, "rootUri": None, "capabilities": _CAPABILITIES}
        )
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": self._settings})
        # The first document makes the server read its settings and the schema.
        self.diagnose("name: warm-up")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def complete(self, text: str) -> list[dict[str, Any]]:
        """Return what the server offers at the cursor."""
        uri, position = self._open(text)
        items = self._request(
            "textDocument/completion", {"textDocument": {"uri": uri}, "position": position}
        )
        return list(items["items"] if isinstance(items, dict) else items or [])

    def hover(self, text: str) -> str:
        """Return what the server shows when the mouse is where the cursor is."""
        uri, position = self._open(text)
        shown = self._request(
            "textDocument/hover", {"textDocument": {"uri": uri}, "position": position}
        )
        return str(shown["contents"]["value"]) if shown else ""

    def diagnose(self, text: str) -> list[dict[str, Any]]:
        """Return what the server underlines in the text."""
        uri, _ = self._open(text)
        return self._diagnostics[uri].get(timeout=_PATIENCE_S)

    def _open(self, text: str) -> tuple[str, dict[str, int]]:
        before = text.partition(CURSOR)[0]
        self._opened += 1
        uri = f"file:///plans/{self._opened}.plan.yaml"
        self._diagnostics[uri] = queue.Queue()
        document = {
            "uri": uri,
            "languageId": "yaml",
            "version": 1,
            "text": text.replace(CURSOR, ""),
        }
        self._notify("textDocument/didOpen", {"textDocument": document})
        line = before.count("\n")
        return uri, {"line": line, "character": len(before) - before.rfind("\n") - 1}

    def _request(self, method: str, params: object) -> Any:
        number = len(self._replies) + 1
        self._replies[number] = queue.Queue()
        self._send({"id": number, "method": method, "params": params})
        reply = self._replies[number].get(timeout=_PATIENCE_S)
        assert "error" not in reply, reply
        return reply["result"]

    def _notify(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, object]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while (message := _message(self._process.stdout)) is not None:
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._answer(message)})
            elif message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                if params["uri"] in self._diagnostics:
                    self._diagnostics[params["uri"]].put(params["diagnostics"])
            elif "id" in message:
                self._replies[message["id"]].put(message)

    def _answer(self, message: Mapping[str, Any]) -> list[object] | None:
        if message["method"] != "workspace/configuration":
            return None
        return [
            self._settings.get(item.get("section", ""), {}) for item in message["params"]["items"]
        ]


def _message(stream: IO[bytes]) -> dict[str, Any] | None:
    """Return the next message; None at the end of the stream."""
    length = 0
    while header := stream.readline().strip():
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return dict(json.loads(stream.read(length))) if length else None
