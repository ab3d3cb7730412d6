"""A kind of output as one object: what plans may say about it, and what makes it.

Built-in outputs and those of other packages are made of the same record. A built-in one is found in
the `kind` module of its folder in `planrunner/outputs`, another package's through the entry-point
group `planrunner.outputs`. What takes an import is named, and imported when a plan has the output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from planrunner.errors import UsageError
from planrunner.values import dataclass

__all__ = ["GROUP", "OutputKind"]

GROUP: Final = "planrunner.outputs"
"""The entry-point group through which other packages bring outputs."""


def _no_words(text: str) -> Mapping[str, object]:
    raise UsageError(f"`{text}` says nothing here", hint="write its settings as a mapping: `{…}`")


@dataclass(frozen=True, slots=True)
class OutputKind:
    """Everything that the rest of planrunner knows about a kind of output.

    Attributes:
        name: Its key in `outputs:`, and the NAME of `--output NAME=VALUE`.
        description: One sentence, for editors and the reference page.
        example: A value of the key, in YAML's flow style.
        model: `package.module:Class` of its settings: an `OutputModel`.
        make: `package.module:callable` that gets the settings as keywords, by key, and `labels`, a
            tuple of tags' keys; it returns an `Output` for one run. A setting that the plan leaves
            out has the model's default, and is not passed where that is None. Durations are
            nanoseconds, sizes bytes; texts have their values.
        read_words: The settings that the VALUE of `--output NAME=VALUE` stands for, as a plan would
            write them. A value that begins with `{` is YAML, for every output. Raises a
            `PlanrunnerError` when it can't be read.
        words_example: Such a VALUE.
        package: The module of an extra that it needs; empty for none.
    """

    name: str
    description: str
    example: str
    model: str
    make: str
    read_words: Callable[[str], Mapping[str, object]] = _no_words
    words_example: str = ""
    package: str = ""
