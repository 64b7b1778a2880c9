"""Where text goes that nobody may wait for.

What is shown and logged is no part of the work. Whoever writes here never waits and never fails: a reader that is slow
costs what does not fit, which is counted and told; one that is gone, or a disk that is full, is given up once.
"""

import contextlib
import io
import os
import select
from collections.abc import Callable
from typing import Self, TextIO

from station.core.background_writer import PATIENCE_S, BackgroundWriter, Take

PIECE_BYTES = 4096
"""So much is written at a time, that a reader who takes little is seen to take something."""


class Outlet:
    """A text stream that a thread of its own writes, as `print`, a console or a log handler wants one.

    Args:
        name: What it is called in the log.
        take: Where the bytes go.
        encoding: Of the text; what it has no character for is replaced.
        errors: How that is replaced, `replace` or `backslashreplace`.
        terminal: Whether a person looks at it.
        whole: Each text is handed over whole, whatever its length.
        end: What the thread does last.
    """

    def __init__(
        self,
        name: str,
        take: Take,
        encoding: str = "utf-8",
        errors: str = "replace",
        *,
        terminal: bool = False,
        whole: bool = False,
        end: Callable[[], object] = lambda: None,
    ) -> None:
        self.encoding = encoding
        self._errors = errors
        self._terminal = terminal
        self._writer = BackgroundWriter(name, take, None if whole else PIECE_BYTES, end)

    @classmethod
    def of(cls, stream: TextIO | None, name: str) -> Self:
        """The same place that this stream leads to; it is flushed first."""
        if stream is None:
            return cls(name, len)
        errors = "backslashreplace" if stream.errors == "backslashreplace" else "replace"
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
        return cls(name, _into(stream), stream.encoding or "utf-8", errors, terminal=stream.isatty())

    def write(self, text: str) -> int:
        """Have it written, or counted as dropped; returns at once."""
        self._writer.write(text.encode(self.encoding, self._errors))
        return len(text)

    def flush(self) -> None:
        """Nothing: what was written is on its way."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._terminal

    def settle(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until all is written, but no longer than a reader takes nothing for so long; whether all was."""
        return self._writer.settle(patience_s)

    def close(self, patience_s: float = PATIENCE_S) -> bool:
        """Settle, and take no more; whether everything was written."""
        return self._writer.close(patience_s)


def _into(stream: TextIO) -> Take:
    """Into the stream's file; into the stream itself where it has none, as in a test."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, io.UnsupportedOperation):
        return lambda data: _into_memory(stream, data)
    return lambda data: _into_file(descriptor, data)


def _into_file(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:  # somebody else has set the file so; it is waited for here all the same
        select.select([], [descriptor], [])
        return 0


def _into_memory(stream: TextIO, data: bytes) -> int:
    stream.write(data.decode(stream.encoding or "utf-8", "replace"))
    stream.flush()
    return len(data)
