"""All that features ask of a plan: its text, its tree, its names, what the compiler made of it."""

from __future__ import annotations

from collections.abc import Mapping

from lsprotocol import types
from pygls import uris

from planrunner.compiler.checked import Checked, Examined
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.documents.reading import PlanReading
from planrunner.lsp.names.plan_index import NameIndex, NamePlace
from planrunner.values import dataclass

__all__ = ["NOT_CHECKED", "PlanView", "uri_of"]

NOT_CHECKED = Examined(Checked(()))


@dataclass(frozen=True, slots=True)
class PlanView:
    """What is known of a plan at one moment.

    Attributes:
        file: Its normalized path.
        text: What the editor has now.
        lines: Of that text.
        reading: Of that text, or of the last one that could be read.
        files: The readings of all files that share names with it.
        index: Their names.
        facts: What the last check that came so far made of it.
    """

    uri: str
    file: str
    text: str
    lines: EditorLines
    reading: PlanReading
    files: Mapping[str, PlanReading]
    index: NameIndex
    facts: Examined = NOT_CHECKED

    @property
    def is_current(self) -> bool:
        """Whether the tree is that of the text."""
        return self.reading.text == self.text

    def location(self, place: NamePlace) -> types.Location:
        """Return where a name stands, in whatever file."""
        reading = self.files[place.file]
        uri = self.uri if place.file == self.file else uri_of(place.file)
        one = place.occurrence
        return types.Location(uri, reading.range(one.start, one.end))


def uri_of(file: str) -> str:
    """Return the address of a file."""
    return uris.from_fs_path(file) or file
