"""The plans that an editor has open: read once for each text, checked when the typing pauses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from planrunner.compiler.checked import Checked, Examined
from planrunner.lsp.documents.checking import Checking, PlanCheck, TypedPlan
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.documents.plan_files import candidates, plan_files
from planrunner.lsp.documents.reading_cache import ReadingCache
from planrunner.lsp.documents.view import NOT_CHECKED, PlanView
from planrunner.lsp.findings.published import Findings, Published
from planrunner.lsp.grammar.shapes import shape_of_plan
from planrunner.lsp.names.plan_index import NameIndex
from planrunner.plan.defaults.file import is_defaults
from planrunner.plan.plan_text import looks_like_plan

__all__ = ["OpenPlans"]

T = TypeVar("T")

_SMALLEST: Final = "{name: a, users: {A: {steps: [{get: http://localhost}]}}, stages: 1s:1}"


class OpenPlans:
    """The plans that an editor has open, and what is known of each.

    Texts are read in one thread, checked in another, and what needs no newer reading is answered
    in a third: the event loop only passes on.
    """

    def __init__(
        self, server: LanguageServer, check: PlanCheck, prepared: Callable[[], None]
    ) -> None:
        self._server = server
        self._check = check
        self._checking = Checking(self._judge, self._tell, self._fail)
        self._reader = ThreadPoolExecutor(1, "read")
        self._answerer = ThreadPoolExecutor(1, "answer")
        self._prepare(prepared)
        self._open: dict[str, TypedPlan] = {}
        self._texts: dict[str, str] = {}
        self._judged: set[str] = set()
        self._facts: dict[str, Examined] = {}
        self._views: dict[str, PlanView] = {}
        self._importers: dict[str, list[Path]] = {}
        self._cache = ReadingCache(self._texts, self.lines)
        self.published = Published(server, self.lines)

    def _prepare(self, prepared: Callable[[], None]) -> None:
        """Make what all texts need, before there is one: the schema, and all that checks import."""
        made: list[Future[object]] = [
            self._checking.submit(lambda: self._check(Path("plan.yaml"), _SMALLEST)),
            self._reader.submit(shape_of_plan),
        ]

        def one_made(_: Future[object]) -> None:
            if all(one.done() for one in made):
                prepared()

        for one in made:
            one.add_done_callback(one_made)

    def put(self, uri: str, text: str, version: int | None = None, *, is_new: bool = False) -> None:
        """Take what a plan says now."""
        path = Path(uris.to_fs_path(uri) or "plan.yaml")
        plan = self._open[uri] = TypedPlan(uri, path, text, version)
        self._texts[os.path.normpath(path)] = text
        if uri in self._judged or is_defaults(path) or looks_like_plan(text):
            self._judged.add(uri)  # also while the key is retyped that shows it
            self._checking.begin(plan, **({"pause_s": 0.0} if is_new else {}))
        else:
            self.published.show(plan, self.published.findings(plan, Checked(())))

    def check_again(self) -> None:
        """Check all plans: a file has changed that they may name."""
        self._importers.clear()
        for plan in list(self._open.values()):
            self.put(plan.uri, plan.text, plan.version)

    def forget(self, uri: str) -> None:
        """Take nothing more of a plan for true: its editor has closed it."""
        self._checking.drop(uri)
        self._judged.discard(uri)
        self.published.forget(uri)
        plan = self._open.pop(uri, None)
        if plan is not None:
            self._texts.pop(os.path.normpath(plan.path), None)
        self._facts.pop(uri, None)
        self._views.pop(uri, None)

    def close(self) -> None:
        self._checking.close()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._answerer.shutdown(wait=False, cancel_futures=True)

    def lines(self, text: str) -> EditorLines:
        return EditorLines(text, self._server.workspace.position_codec)

    def typed(self, uri: str) -> TypedPlan | None:
        """Return what the editor has of a plan."""
        return self._open.get(uri)

    async def ask(self, uri: str, answer: Callable[[PlanView], T]) -> T | None:
        """Return an answer about the text as it is now."""
        loop = asyncio.get_running_loop()
        with self._checking.waiting():
            return await loop.run_in_executor(self._reader, self._ask, uri, answer)

    async def ask_at_once(self, uri: str, answer: Callable[[PlanView], T]) -> T | None:
        """Return an answer that needs no newer tree and names than those at hand."""
        loop = asyncio.get_running_loop()
        if uri not in self._views:
            return await self.ask(uri, answer)
        with self._checking.waiting():
            return await loop.run_in_executor(self._answerer, self._ask_last, uri, answer)

    async def work(self, compute: Callable[[], T]) -> T:
        """Return what takes longer, without keeping other answers waiting."""
        return await asyncio.to_thread(compute)

    def _ask(self, uri: str, answer: Callable[[PlanView], T]) -> T | None:
        view = self._view(uri)
        return None if view is None else answer(view)

    def _ask_last(self, uri: str, answer: Callable[[PlanView], T]) -> T | None:
        plan, view = self._open.get(uri), self._views.get(uri)
        if plan is None or view is None:
            return None
        facts = self._facts.get(uri, NOT_CHECKED)
        lines = self.lines(plan.text)
        return answer(replace(view, text=plan.text, lines=lines, facts=facts))

    def _view(self, uri: str) -> PlanView | None:
        plan = self._open.get(uri)
        if plan is None:
            return None
        file = os.path.normpath(plan.path)
        reading = self._cache.read(plan.path)
        if reading is None:
            return None
        if uri not in self._importers:
            self._importers[uri] = list(candidates(plan.path, self._folders()))
        others = [*map(Path, list(self._texts)), *self._importers[uri]]
        files = plan_files(plan.path, self._cache.read, (one for one in others if str(one) != file))
        index = NameIndex({name: one.names for name, one in files.items()})
        lines = reading.lines if reading.text == plan.text else self.lines(plan.text)
        facts = self._facts.get(uri, NOT_CHECKED)
        view = PlanView(uri, file, plan.text, lines, reading, files, index, facts)
        self._views[uri] = view
        return view

    def _folders(self) -> list[Path]:
        folders = self._server.workspace.folders.values()
        return [Path(path) for one in folders if (path := uris.to_fs_path(one.uri))]

    def _judge(self, plan: TypedPlan) -> tuple[Examined, Findings]:
        """Return what a check found, also as the editor wants it."""
        found = self._check(plan.path, plan.text)
        return found, self.published.findings(plan, found.checked)

    def _tell(self, plan: TypedPlan, judged: tuple[Examined, Findings]) -> None:
        found, findings = judged
        before = self._facts.get(plan.uri, NOT_CHECKED)
        self._facts[plan.uri] = Examined(
            found.checked,
            found.plan or before.plan,
            found.graph or before.graph,
            found.known or before.known,
        )
        self.published.show(plan, findings)

    def _fail(self, plan: TypedPlan, error: Exception) -> None:
        message = f"{plan.path} could not be checked: {type(error).__name__}: {error}"
        params = types.LogMessageParams(types.MessageType.Error, message)
        self._server.window_log_message(params)
