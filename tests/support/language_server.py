"""Drives a language server over stdio, as an editor does."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self

__all__ = ["CURSOR", "LanguageServer", "yaml_language_server"]

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


def yaml_language_server(script: Path, schema: Path) -> LanguageServer:
    """Return the YAML language server with a schema for documents named `*.plan.yaml`."""
    yaml = {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},
        "format": {"enable": False},
        "schemas": {schema.resolve().as_uri(): "*.plan.yaml"},
    }
    return LanguageServer(["node", str(script), "--stdio"], {"yaml": yaml})


class LanguageServer:
    """One server process.

    Args:
        command: What starts it.
        settings: What it gets when it asks for its settings.
        folder: Where documents lie; they need not be there.
        name: What documents are called, behind their number.
        language: The language that they have for the server.
        options: What it is initialized with.
    """

    def __init__(
        self,
        command: Sequence[str],
        settings: Mapping[str, object],
        *,
        folder: Path = Path("/plans"),
        name: str = "plan.yaml",
        language: str = "yaml",
        options: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._folder, self._name, self._language = folder, name, language
        self._options = options or {}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._replies: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._diagnostics: dict[str, queue.Queue[list[dict[str, Any]]]] = {}
        self._opened = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.able: Mapping[str, Any] = {}

    def __enter__(self) -> Self:
        self._reader.start()
        begun = self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": self._folder.as_uri(),
                "workspaceFolders": [{"uri": self._folder.as_uri(), "name": "plans"}],
                "capabilities": _CAPABILITIES,
                "initializationOptions": self._options,
            },
        )
        self.able = begun["capabilities"]
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": self._settings})
        # The first document makes a server read its settings and the schema.
        self.diagnose("name: warm-up")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def complete(self, text: str) -> list[dict[str, Any]]:
        """Return what the server offers at the cursor."""
        uri, position = self.open(text)
        items = self.request(
            "textDocument/completion", {"textDocument": {"uri": uri}, "position": position}
        )
        return list(items["items"] if isinstance(items, dict) else items or [])

    def hover(self, text: str) -> str:
        """Return what the server shows when the mouse is where the cursor is."""
        uri, position = self.open(text)
        shown = self.request(
            "textDocument/hover", {"textDocument": {"uri": uri}, "position": position}
        )
        return str(shown["contents"]["value"]) if shown else ""

    def diagnose(self, text: str) -> list[dict[str, Any]]:
        """Return what the server underlines in the text."""
        uri, _ = self.open(text)
        return self._diagnostics[uri].get(timeout=_PATIENCE_S)

    def open(self, text: str) -> tuple[str, dict[str, int]]:
        """Open a text; return its address, and where the cursor is in it."""
        before = text.partition(CURSOR)[0]
        self._opened += 1
        uri = (self._folder / f"{self._opened}.{self._name}").as_uri()
        self._diagnostics[uri] = queue.Queue()
        document = {
            "uri": uri,
            "languageId": self._language,
            "version": 1,
            "text": text.replace(CURSOR, ""),
        }
        self._notify("textDocument/didOpen", {"textDocument": document})
        line = before.count("\n")
        return uri, {"line": line, "character": len(before) - before.rfind("\n") - 1}

    def request(self, method: str, params: object) -> Any:
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
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while (message := _message(self.process.stdout)) is not None:
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
