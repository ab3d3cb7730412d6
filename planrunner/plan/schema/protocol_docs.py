"""The reference page of the protocols, made from their records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.protocols import registry
from planrunner.protocols.plugin import Plugin, resolve

__all__ = ["protocol_page"]

_INTRODUCTION: Final = """\
# Reference: protocols

<!-- Generated from the protocols by `make schema`; a test compares. -->

A protocol brings actions, settings and clients.
Everything else is the same for all of them:
`name`, `tags`, `timeout`, `measure`, `expect`, `extract` and `when`,
groups, loops, `poll`, `parallel` and `preflight`, thresholds and reports.

Settings stand at the plan's first level.
A user class may have its own, which take precedence.
The keys of every action and of the settings are in [the plan language](plan.md).

Every reply brings the names `status`, `headers`, `body` and `json` to later expressions.
A status with a name is selected by that name: `rate of status:NOT_FOUND < 1%`.
[Measures](thresholds.md#measures) are what thresholds may name: `p95 ttfb < 200ms`.

Installed packages can bring more protocols: see [how to write one](../how-to/write-a-protocol.md).
`planrunner schema protocols` prints this page with theirs.
"""


def protocol_page() -> str:
    """Return the page as Markdown; the same for the same version and the same packages."""
    lines = [_INTRODUCTION]
    for plugin in registry.known().values():
        lines += _section(plugin)
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(plugin: Plugin) -> Iterator[str]:
    yield from (f"## {plugin.title}", "")
    if plugin.settings is not None:
        yield f"- Settings: `{plugin.name}: {plugin.settings.example}`"
    clients = ", ".join(f"`{name}`" for name in plugin.clients)
    yield f"- Clients, the default first: {clients}"
    if plugin.statuses:
        yield f"- Statuses: {', '.join(f'`{name}`' for name in plugin.statuses)}"
    else:
        yield "- Statuses: numbers"
    if plugin.measures:
        words = ", ".join(f"`{word}`" for word in plugin.measures)
        yield f"- Measures beside `latency` and `service_time`: {words}"
    for name, words in plugin.reply_words.items():
        yield f"- `{name}` in expressions after a reply: {words}"
    yield from ("", "| action | meaning | example |", "|---|---|---|")
    for word, action in plugin.actions.items():
        meaning = _meaning(plugin, action.model, action.description)
        example = f"{word}: {action.example}".replace("|", "\\|")
        yield f"| `{word}` | {meaning} | `{example}` |"
    for word, group in plugin.groups.items():
        yield f"| `{word}` | {group.description} | `{word}: {group.example}` |"
    yield from ("", "| failure | what it means |", "|---|---|")
    for kind, meaning in plugin.failures.items():
        yield f"| `{kind}` | {meaning} |"
    yield ""


def _meaning(plugin: Plugin, model: str, description: str) -> str:
    """Return what an action does: the verbs share one model, other actions have one each."""
    return description if plugin.is_beside else str(resolve(model).__doc__).splitlines()[0]
