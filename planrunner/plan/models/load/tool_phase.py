"""What a phase may say that another tool runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.mapping import Fault, error
from planrunner.language.fields.reading import ReadBy
from planrunner.tools.registry import KNOWN, all_tools, find_tool

__all__ = ["TOOL_KEYS", "ToolName", "foreign_to_tools", "tool_faults"]

TOOL_KEYS: Final = ("tool", "script", "args", "env", "timeout")


def _read_tool(value: object) -> str:
    if isinstance(value, str) and find_tool(value) is not None:
        return value
    names = list(all_tools())
    hint = suggest(str(value), names) or "tools: " + ", ".join(names)
    raise error(Fault(Code.UNKNOWN_NAME, f"no tool is called `{value}`", hint))


ToolName = Annotated[str, ReadBy(_read_tool, {"anyOf": [{"enum": [*KNOWN]}, {"type": "string"}]})]


def foreign_to_tools(
    data: Mapping[str, Any], known: Collection[str], allowed: Collection[str]
) -> Iterator[Fault]:
    """Yield the keys of users' phases beside `tool`, and those of tools' phases without it."""
    for key in data:
        if "tool" in data and key in known and key not in allowed:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{key}` can't be combined with `tool`",
                f"{data['tool']} sends its own load: say it in its script, or in `args`",
                key,
            )
        elif "tool" not in data and key in TOOL_KEYS:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{key}` is only for a phase that another tool runs",
                "add `tool:`, or leave it out",
                key,
            )


def tool_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what a tool lacks, or can't take."""
    name = data.get("tool")
    tool = find_tool(name) if isinstance(name, str) else None
    if tool is None:
        return
    if tool.needs_script and "script" not in data:
        yield Fault(
            Code.MISSING_KEY,
            f"{tool.name} needs a script",
            f"add `script:` with the file: {tool.script}",
        )
    elif not tool.script and "script" in data:
        yield Fault(
            Code.CONFLICTING_KEYS, f"{tool.name} takes no script", "write `args:`", "script"
        )
    elif not tool.script and "args" not in data:
        yield Fault(
            Code.MISSING_KEY,
            f"{tool.name} takes its load from its command line",
            "add `args:`, a list such as `[-n, 100, 'http://127.0.0.1:8080/']`",
        )
