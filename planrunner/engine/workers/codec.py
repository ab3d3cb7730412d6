"""Messages as bytes: labels that went over a connection before go as a number."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Callable
from io import BytesIO
from typing import Any

from planrunner.metrics.series import Labels, same_labels

__all__ = ["MessageCodec"]


def _learnt(*fields: Any) -> Labels:  # noqa: ANN401 - each has its own type
    """Stand for the reader's `_learn`; never called."""
    raise NotImplementedError


def _known(number: int) -> Labels:
    """Stand for the reader's list of labels; never called."""
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
            Labels: self._reduced,
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
        return _CodecReader(data, self._learn, self._heard.__getitem__).load()

    def _reduced(self, labels: Labels) -> tuple[Callable[..., Labels], tuple[Any, ...]]:
        number = self._sent.get(labels)
        if number is not None:
            return _known, (number,)
        self._sent[labels] = len(self._sent)
        return _learnt, labels.__reduce__()[1]

    def _learn(self, *fields: Any) -> Labels:  # noqa: ANN401 - each has its own type
        labels = same_labels(*fields)
        self._heard.append(labels)
        return labels


class _CodecReader(pickle.Unpickler):
    """Puts the reader's own memory where a message means it."""

    def __init__(
        self, data: bytes, learn: Callable[..., Labels], known: Callable[[int], Labels]
    ) -> None:
        super().__init__(BytesIO(data))
        self._meant = {_learnt.__name__: learn, _known.__name__: known}

    def find_class(self, module: str, name: str, /) -> Any:  # noqa: ANN401 - as pickle has it
        if module == __name__ and name in self._meant:
            return self._meant[name]
        return super().find_class(module, name)
