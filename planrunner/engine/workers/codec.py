"""Messages as bytes: labels that went over a connection before go as a number."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from planrunner.metrics.series import Labels, same_labels
from planrunner.metrics.snapshot import LabelSets, packed

__all__ = ["MessageCodec"]


_LabelFields = tuple[Any, ...]
"""What labels are made of."""


def _told(new: Sequence[_LabelFields], numbers: Sequence[int]) -> LabelSets:
    """Stand for what the reader does with it; never called."""
    raise NotImplementedError


class MessageCodec:
    """What one end of a connection knows of the labels that it has sent and heard.

    Labels are half of what a worker says every second, and the same each time. Whoever reads must
    read all messages of the other end, in their order.
    """

    def __init__(self) -> None:
        self._sent: dict[Labels, int] = {}
        self._heard: list[Labels] = []
        self._table: dict[type, Callable[[Any], Any]] = {
            **copyreg.dispatch_table,
            LabelSets: self._reduced,
        }

    def dumps(self, message: object) -> bytes:
        """Return a message as bytes; one that can't be sent leaves nothing behind.

        Raises:
            Exception: Whatever pickle raises.
        """
        before = len(self._sent)
        out = BytesIO()
        pickler = pickle.Pickler(out, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = self._table
        try:
            pickler.dump(message)
        except BaseException:
            while len(self._sent) > before:
                self._sent.popitem()
            raise
        return out.getvalue()

    def loads(self, data: bytes) -> object:
        """Return the message that the codec of the other end has made bytes of."""
        return _CodecReader(data, self._learn).load()

    def _reduced(self, sets: LabelSets) -> tuple[Callable[..., LabelSets], tuple[Any, ...]]:
        sent = self._sent
        new = [labels for labels in sets if labels not in sent]
        sent.update(zip(new, range(len(sent), len(sent) + len(new)), strict=True))
        numbers = packed([sent[labels] for labels in sets])
        return _told, ([labels.__reduce__()[1] for labels in new], numbers)

    def _learn(self, new: Sequence[_LabelFields], numbers: Sequence[int]) -> LabelSets:
        self._heard += [same_labels(*fields) for fields in new]
        return LabelSets(map(self._heard.__getitem__, numbers))


class _CodecReader(pickle.Unpickler):
    """Puts the reader's own memory where a message means it."""

    def __init__(self, data: bytes, learn: Callable[..., LabelSets]) -> None:
        super().__init__(BytesIO(data))
        self._learn = learn

    def find_class(self, module: str, name: str, /) -> Any:  # noqa: ANN401 - as pickle has it
        if module == __name__ and name == _told.__name__:
            return self._learn
        return super().find_class(module, name)
