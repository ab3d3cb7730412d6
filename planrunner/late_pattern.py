"""Regular expressions that are compiled when they are first used.

Compiling one takes as long as importing a module, and a command uses a tenth of those that its
modules have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, AnyStr, Final

__all__ = ["late_pattern"]

if TYPE_CHECKING:

    def late_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
        """Return what `re.compile` does, and compile it when a method of it is first called."""
else:

    class late_pattern:  # noqa: N801 - its instances stand for what a function returns
        """A regular expression until it is compiled; then it has the methods of that one."""

        def __init__(self, pattern, flags=0):  # noqa: ANN001, ANN204 - declared above
            self._given = pattern, flags

        def __getattr__(self, name):  # noqa: ANN001, ANN204 - of any attribute
            compiled = re.compile(*self._given)
            for each in _METHODS:
                self.__dict__[each] = getattr(compiled, each)
            return getattr(compiled, name)


_METHODS: Final = (
    *("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn"),
    *("flags", "groupindex", "groups", "pattern"),
)
