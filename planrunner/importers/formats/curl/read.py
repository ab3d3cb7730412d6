"""Scripts with commands of curl → requests of one user, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPlan, DraftStep
from planrunner.importers.formats.curl.options import read_options
from planrunner.importers.formats.curl.request import CurlRequest
from planrunner.importers.formats.curl.shell import (
    ShellCommand,
    ShellOutput,
    ShellVariable,
    ShellWord,
    commands,
)
from planrunner.importers.formats.curl.variables import ScriptVariables
from planrunner.importers.formats.curl.windows import is_windows, windows_commands
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.sources import ImportFault, SourceFile

__all__ = ["read"]

_CURL: Final = ("curl", "curl.exe")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_BEFORE: Final = """
    $ ! { time then do else elif if while until sudo exec command nohup env builtin export local
    declare readonly call
"""
_WORDS_BEFORE: Final = frozenset(_BEFORE.split())
"""What may stand before a command and says nothing of the request."""

_NAMING: Final = frozenset(("export", "local", "declare", "readonly"))
_RUNS: Final = frozenset(
    {"timeout", "nice", "watch", "xargs", "parallel", "docker", "podman", "kubectl", "ssh"}
)
"""Commands that run the command behind them."""

_SAYS_NOTHING: Final = """
    echo printf set true [ [[ test : clear done fi esac } return exit shift cd setlocal endlocal
    rem jq json_pp head tail less cat tee wc pause chcp wait
"""
_SILENT: Final = frozenset(_SAYS_NOTHING.split())
"""Commands that send nothing, and take nothing from a reply that is sent later."""

_BLOCKS: Final = {
    "for": "write `foreach` around the requests of the loop",
    "while": "write `while` or `repeat` around the requests of the loop",
    "until": "write `poll`, or `while` around the requests of the loop",
    "if": "the requests of all branches are sent: write `when`, or `if` around them",
    "case": "the requests of all branches are sent: write `when`, or `if` around them",
}
_JQ_PATH: Final = re.compile(r"(?:\.[A-Za-z_]\w*|\[\d+\]|\.?\[\"[^\"\]]+\"\]|\.\"[^\"]+\")+")


def read(request: ImportRequest) -> DraftPlan:
    """Read the commands of all files; what is no command of curl is left out."""
    first = request.files[0]
    draft = DraftPlan(Path(first.name).stem if first.path else "curl")
    visitor = DraftClass("User")
    for file in request.files:
        script = _CurlScript(file, draft, request)
        visitor.steps += script.steps(_commands(file))
    _stay_where_sent(draft, visitor.steps)
    if not any("think" not in step.body for step in visitor.steps):
        raise ImportFault(first.name, "no command of curl with a URL")
    draft.users.append(visitor)
    return draft


def _commands(file: SourceFile) -> Sequence[ShellCommand]:
    return windows_commands(file) if is_windows(file) else commands(file)


def _stay_where_sent(draft: DraftPlan, steps: Sequence[DraftStep]) -> None:
    """Follow redirects only where a command says so: planrunner does it by itself."""
    sent = [step for step in steps if "think" not in step.body]
    if all(step.body.get("follow_redirects") is False for step in sent):
        draft.http["follow_redirects"] = False
        for step in sent:
            del step.body["follow_redirects"]


class _CurlScript:
    """One file."""

    def __init__(self, file: SourceFile, draft: DraftPlan, request: ImportRequest) -> None:
        self._draft, self._ledger = draft, request.ledger
        self._files = KeptFiles(file, request.files, draft)
        self._variables = ScriptVariables(draft, request.ledger)

    def steps(self, commands: Sequence[ShellCommand]) -> list[DraftStep]:
        """Return the steps of commands that follow each other."""
        steps: list[DraftStep] = []
        before: ShellCommand | None = None
        for command in commands:
            steps += self._command(command, before, steps)
            before = command
        return steps

    def _command(
        self, command: ShellCommand, before: ShellCommand | None, done: Sequence[DraftStep]
    ) -> list[DraftStep]:
        words = self._without_lead(command.words)
        if not words:
            return []
        name, place = words[0].text.lstrip("@"), words[0].place
        if all(_ASSIGNMENT.match(word.text) for word in words):
            return [step for word in words for step in self._assign(word)]
        if self._ledger_of_block(words):
            return []
        start = self._start_of_curl(words)
        if start is not None:
            return self._requests(words[start:], command, before)
        if (
            name == "sleep"
            and len(words) == 2
            and re.fullmatch(r"\d+(\.\d+)?[smh]?", words[1].text)
        ):
            self._ledger.add("command", f"sleep {words[1].text}", place).translated()
            unit = "s" if words[1].text[-1].isdigit() else ""
            return [DraftStep({"think": f"{words[1].text}{unit}"}, origin=place)]
        if name == "grep" and command.is_piped and done:
            instead = "it looks at a reply: write `expect: {contains: …}`, or `extract`"
            self._ledger.add("command", name, place).left_out(instead)
        elif name in _SILENT:
            self._ledger.add("command", name, place).translated()
        else:
            self._ledger.add("command", name[:80], place).left_out(
                "only commands of curl are read; a step `exec` runs a command"
            )
        return [step for word in words for step in self._below(word)]

    def _without_lead(self, words: Sequence[ShellWord]) -> Sequence[ShellWord]:
        """Return a command without what stands before it, such as `then` or `sudo`."""
        while words and words[0].text in _WORDS_BEFORE:
            if words[0].text in _BLOCKS:
                self._ledger_of_block(words)
            is_named = words[0].text in _NAMING
            words = words[1:]
            if is_named and not any("=" in word.text for word in words):
                return []
        if words and words[0].text == "set" and len(words) > 1 and "=" in words[1].text:
            return words[1:]  # as Windows sets variables
        is_set = [_ASSIGNMENT.match(word.text) is not None for word in words]
        if any(is_set) and not all(is_set):
            start = is_set.index(False)
            for word in words[:start]:  # what the command itself gets
                self._ledger.add("variable", word.text.partition("=")[0], word.place).left_out(
                    "it is set for this command alone; see `http:` of the plan for a proxy"
                )
            return words[start:]
        return words

    def _ledger_of_block(self, words: Sequence[ShellWord]) -> bool:
        name = words[0].text
        if name not in _BLOCKS:
            return False
        shown = " ".join(word.text for word in words)[:80]
        self._ledger.add("command", shown, words[0].place).left_out(_BLOCKS[name])
        if name == "for" and len(words) > 1:
            self._variables.loop(words[1].text)
        return True

    def _start_of_curl(self, words: Sequence[ShellWord]) -> int | None:
        """Return where `curl` stands in a command that runs it; None if it doesn't."""
        if words[0].text.rpartition("/")[2] in _CURL:
            return 0
        if words[0].text not in _RUNS:
            return None
        start = next(
            (n for n, word in enumerate(words) if word.text.rpartition("/")[2] in _CURL), None
        )
        if start is not None:
            shown = " ".join(word.text for word in words[:start])[:80]
            self._ledger.add("command", shown, words[0].place).left_out(
                "the request is sent once in each iteration, by planrunner itself"
            )
        return start

    def _requests(
        self, words: Sequence[ShellWord], command: ShellCommand, before: ShellCommand | None
    ) -> list[DraftStep]:
        self._ledger.add("command", "curl", words[0].place).translated()
        piped = before if command.is_piped else None
        stdin = _stdin(command, piped)
        steps = list[DraftStep]()
        made = CurlRequest(self._draft, self._ledger, self._variables, self._files, stdin)
        for option in read_options(words[1:]):
            if option.name == "next":
                self._ledger.add("option", option.word.text, option.word.place).translated()
                steps += made.steps()
                made = CurlRequest(self._draft, self._ledger, self._variables, self._files, stdin)
            else:
                made.take(option)
        below = [step for word in words for step in self._below(word)]
        return [*below, *steps, *made.steps()]

    def _below(self, word: ShellWord) -> Iterator[DraftStep]:
        """Yield the steps of commands whose output stands in a word."""
        for part in word.parts:
            if isinstance(part, ShellOutput) and _sends(part):
                yield from self.steps(part.commands)

    def _assign(self, word: ShellWord) -> Iterator[DraftStep]:
        """Yield the steps whose reply a variable is taken from."""
        name = word.text.partition("=")[0]
        computed = [part for part in word.parts[1:] if part]
        output = computed[0] if len(computed) == 1 else None
        if not isinstance(output, ShellOutput) or word.parts[0] != f"{name}=":
            yield from self._below(word)
            self._variables.assign(name, word)
            return
        steps = self.steps(output.commands) if _sends(output) else []
        yield from steps
        path = _json_path(output.commands)
        if steps and path and "think" not in steps[-1].body:
            self._variables.take(name, path, steps[-1], word)
        else:
            self._variables.assign(name, word)


def _stdin(command: ShellCommand, piped: ShellCommand | None) -> ShellCommand | None:
    """Return a command with what it reads, where the script says that."""
    if command.stdin is not None:
        return command
    words = piped.words if piped is not None else ()
    if len(words) == 2 and words[0].text in ("echo", "printf"):
        return ShellCommand((), words[1])
    if len(words) == 2 and words[0].text == "cat":
        return ShellCommand((), words[1], stdin_is_file=True)
    return None


def _sends(output: ShellOutput) -> bool:
    """Say whether one of the commands whose output is asked for is a request."""
    words = [word for command in output.commands for word in command.words]
    return any(word.text in _CURL for word in words) or any(
        _sends(part) for word in words for part in word.parts if isinstance(part, ShellOutput)
    )


def _json_path(commands: Sequence[ShellCommand]) -> str:
    """Return where `curl … | jq -r .id` takes a value from; empty for anything else."""
    words = commands[-1].words if commands else ()
    if len(commands) < 2 or words[0].text != "jq":
        return ""
    given = [word.text for word in words[1:] if not word.text.startswith("-")]
    if len(given) != 1 or any(isinstance(part, ShellVariable) for part in words[-1].parts):
        return ""
    found = _JQ_PATH.fullmatch(given[0].strip())
    return re.sub(r"\.?\[?\"([^\"]+)\"\]?", r"['\1']", f"${found[0]}") if found else ""
