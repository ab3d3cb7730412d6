"""What a hint says to write instead → pieces of the text that change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from planrunner.lsp.findings.entry_mendings import (
    added,
    left_out,
    put_into,
    read_from_environment,
    removed_key,
    replaced_by,
    sentence,
    whole_entry,
)
from planrunner.lsp.findings.faulty_text import FaultyText, Mending
from planrunner.lsp.findings.moved_entries import (
    as_default,
    as_phase,
    as_range,
    as_verb,
    flattened,
    outdented,
    without_dashes,
)
from planrunner.lsp.findings.word_mendings import (
    closed,
    in_its_place,
    its_beginning,
    its_kind,
    one_of,
    the_meant,
    with_quotes,
    with_spaces,
    without_quotes,
)

__all__ = ["mendings"]


def mendings(text: FaultyText) -> Iterator[Mending]:
    """Yield what mends a fault; nothing when it isn't certain what to change."""
    if text.fault.span.line > len(text.source.line_starts):
        return
    said = text.fault.hint or text.fault.message
    for pattern, mend in _FORMS:
        if found := pattern.search(said):
            yield from (one for one in mend(text, found) if one.pieces)
            return


_WORDS: Final = r"`[^`]+`(?:,? (?:or )?`[^`]+`)*"
_FORMS: Final[
    tuple[tuple[re.Pattern[str], Callable[[FaultyText, re.Match[str]], Iterator[Mending]]], ...]
] = (
    (re.compile(r"^(?:did you mean|here it is called) `([^`]+)`"), the_meant),
    (re.compile(r"^put it into `([\w.]+):`"), put_into),
    (re.compile(r"^write it into `\w+`: `(\w+): \{(\w+): (.+)\}`"), replaced_by),
    (re.compile(r"^(?:remove it|write one, or remove the key)|leave it out(?! with)"), left_out),
    (re.compile(r"keep one of"), left_out),
    (re.compile(r"^remove `(\w+)`"), removed_key),
    (re.compile(rf"^add (?=`\w+: [^`…]+`){_WORDS}$"), added),
    (re.compile(r"^`\w+:` belongs at the top level"), whole_entry("Outdent it", outdented)),
    (re.compile(r"^a threshold is one sentence: `- (.+)`"), sentence),
    (re.compile(r"^the verb is the key"), whole_entry("Write the verb as the key", as_verb)),
    (re.compile(r"^the action is the key"), whole_entry("Write the action as the key", flattened)),
    (re.compile(r"^say how much load in"), whole_entry("Write the load as a phase", as_phase)),
    (re.compile(r"^write both as one range"), whole_entry("Write both as one range", as_range)),
    (
        re.compile(r"^read it into a param, `params: \{(\w+): \{type: str, env: (\w+)\}\}`"),
        read_from_environment,
    ),
    (re.compile(r"^write it like `params: "), whole_entry("Write it as a default", as_default)),
    (re.compile(r"must be one of (?P<choices>.+), got `"), one_of),
    (re.compile(r"^write `key: value` without `- `"), whole_entry("Remove `- `", without_dashes)),
    (re.compile(r"^add the `(.)`"), closed),
    (re.compile(r"^quote the value|^inside `\{…\}` a comma"), with_quotes),
    (re.compile(r"^remove the quotes(?P<value>)"), without_quotes),
    (re.compile(r"^write `(?P<value>[^`]+)` without quotes"), without_quotes),
    (re.compile(r"^indent with spaces"), with_spaces),
    (re.compile(r"^begin it with [^:]*: `[^`]+`$"), its_beginning),
    (re.compile(r"^`(.+)` is an? [^:]+: write `([^`]+)`"), its_kind),
    (
        re.compile(rf"^write (?:(?:it|a|the)\b[a-z ]*: )?{_WORDS}(?=$|[:;]|, | if | or )"),
        in_its_place,
    ),
    (re.compile(rf"^(?:add a unit|quote it): {_WORDS}"), in_its_place),
)
"""What hints say, and what does it; the first that fits counts."""
