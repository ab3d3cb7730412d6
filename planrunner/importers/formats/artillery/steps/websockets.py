"""Scenarios of the engine `ws` → `ws.*` steps."""

from __future__ import annotations

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.artillery.config.settings import handshake
from planrunner.importers.formats.artillery.steps.flows import FlowReader
from planrunner.importers.formats.artillery.steps.replies import RepliesReader
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out

__all__ = ["WebSocketReader"]


class WebSocketReader(FlowReader):
    """Reads flows of which each is one connection, opened before the first step."""

    def scenario(self, flow: SourceEntry) -> list[DraftStep]:
        """Return the steps of a whole scenario, the connection first."""
        connect: Keys = {"url": "/"}
        for node in flow.node.each():
            entry = node.entry("connect")
            if entry is not None:
                connect = self._connect(entry)
                break
        first = DraftStep({"ws.connect": connect}, origin=flow.construct.place)
        return [first, *self.steps(flow.node)]

    def step(self, node: SourceNode) -> list[DraftStep]:
        """Return what one item of a flow becomes."""
        if node.entry("connect") is not None:
            return []
        for key in ("send", "wait"):
            entry = node.entry(key)
            if entry is not None:
                return self._message(entry)
        return super().step(node)

    def _connect(self, entry: SourceEntry) -> Keys:
        entry.construct.translated()
        node = entry.node
        if not node.is_mapping:
            return {"url": self._url(self.expressions.text(node.text(), entry.construct))}
        found: Keys = {"url": "/"}
        for one in node.entries or []:
            one.construct.translated()
            if one.key in ("target", "url"):
                found["url"] = self._url(self.expressions.text(one.node.text(), one.construct))
            elif one.key in ("headers", "subprotocols"):
                value = self.expressions.value(one.node, one.construct)
                found.update(handshake({one.key: value}))
            else:
                leave_out(one, "set it under `ws:` or `http:` if planrunner knows it")
        return found

    def _url(self, url: str) -> str:
        """Return a URL below the target as a path."""
        target = self.test.names.find("target")
        for start in (f"${{{target}}}", str(self.test.draft.http.get("base_url", ""))):
            if start and url.startswith(start):
                url = url[len(start) :]
        return url if url.startswith(("ws://", "wss://", "/", "${")) else f"/{url}"

    def _message(self, entry: SourceEntry) -> list[DraftStep]:
        entry.construct.translated()
        node, place = entry.node, entry.construct.place
        answers = node.is_mapping and (node.get("capture") or node.get("match"))
        if not answers:
            return [DraftStep(self._send(entry), origin=place)] if entry.key == "send" else []
        steps = []
        payload = node.entry("payload")
        if payload is not None:
            payload.construct.translated()
            steps.append(DraftStep(self._send(payload), origin=place))
        keys: Keys = {}
        replies = RepliesReader(self.expressions, strict=self.test.strict, checks=True)
        replies.read(node, keys)
        return [*steps, DraftStep({"ws.receive": keys}, origin=place)]

    def _send(self, entry: SourceEntry) -> Keys:
        value = self.expressions.value(entry.node, entry.construct)
        if isinstance(value, dict | list):
            return {"ws.send": {"json": value}}
        return {"ws.send": {"text": "" if value is None else str(value)}}
