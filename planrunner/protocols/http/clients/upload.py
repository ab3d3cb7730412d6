"""The bytes of a body with files in it, a piece at a time: memory stays bounded."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.files import MAX_SENT, FileFault, check_file, open_file
from planrunner.protocols.base import FailureKind, Scope
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.operation import StreamBody
from planrunner.values import dataclass

__all__ = ["FilePiece", "Upload", "open_upload"]

PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class FilePiece:
    """A file and as many of its bytes as Content-Length counts."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that can be read as often as it has to be sent."""

    pieces: tuple[bytes | FilePiece, ...]
    size: int

    async def read(self) -> AsyncGenerator[bytes]:
        """Yield the body.

        Raises:
            WireFault: A file cannot be read, or is shorter than it was.
        """
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            async with aclosing(_read_file(piece)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def sha256(self) -> str:
        """Hash the body, in hexadecimal; blocks while it reads.

        Raises:
            WireFault: A file cannot be read.
        """
        hashed = hashlib.sha256()
        for piece in self.pieces:
            if isinstance(piece, bytes):
                hashed.update(piece)
                continue
            try:
                with _open(piece.path) as file:
                    left = piece.size
                    while chunk := file.read(min(PIECE, left)):
                        hashed.update(chunk)
                        left -= len(chunk)
            except (FileFault, OSError) as fault:
                raise _unreadable(piece, fault) from fault
        return hashed.hexdigest()


def open_upload(body: StreamBody, scope: Scope) -> Upload:
    """Say what will be sent for this scope, and how much it is.

    Raises:
        EvaluationError: A value cannot be had, or a file is gone.
    """
    pieces = tuple(
        _piece(piece if isinstance(piece, bytes | Path) else piece(scope)) for piece in body.pieces
    )
    size = sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in pieces)
    return Upload(pieces, size)


def _piece(content: bytes | Path) -> bytes | FilePiece:
    if isinstance(content, bytes):
        return content
    try:
        return FilePiece(content, check_file(content, most=MAX_SENT).st_size)
    except (FileFault, OSError) as fault:
        raise EvaluationError("a file of the body cannot be read") from fault


async def _read_file(piece: FilePiece) -> AsyncGenerator[bytes]:
    """Read in a thread: a slow disk holds up this user only."""
    try:
        file = await asyncio.to_thread(_open, piece.path)
        with file:
            left = piece.size
            while left:
                chunk = await asyncio.to_thread(file.read, min(PIECE, left))
                if not chunk:
                    words = f"`{piece.path.name}` became shorter while it was sent"
                    raise WireFault(FailureKind.PROTOCOL, words)
                left -= len(chunk)
                yield chunk
    except (FileFault, OSError) as fault:
        raise _unreadable(piece, fault) from fault


def _unreadable(piece: FilePiece, fault: FileFault | OSError) -> WireFault:
    if isinstance(fault, FileFault):
        return WireFault(FailureKind.PROTOCOL, f"`{piece.path.name}` {fault.message}")
    words = f"`{piece.path.name}` cannot be read: {fault.strerror or fault}"
    return WireFault(FailureKind.PROTOCOL, words)


def _open(path: Path) -> BinaryIO:
    return open_file(path, most=MAX_SENT)
