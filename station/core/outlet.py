"""Where text goes that nobody may wait for: a bounded queue, and a thread that writes.

What is shown and logged is no part of the work. Whoever writes here never waits and never fails: a reader that is slow
costs what does not fit, which is counted and told; one that is gone, or a disk that is full, is given up once.
"""

import contextlib
import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Self, TextIO

import structlog

log = structlog.get_logger()

ROOM_BYTES = 1 << 20
"""How much may wait."""

PIECE_BYTES = 4096
"""So much is written at a time, that a reader who takes little is seen to take something."""

PATIENCE_S = 2.0
"""How long the end waits for a reader who takes nothing."""

Take = Callable[[bytes], int]
"""Takes some of these bytes and tells how many; may block.

Raises:
    OSError: Nothing will be taken any more.
"""


class Outlet:
    """A text stream that a thread of its own writes, as `print`, a console or a log handler wants one.

    Args:
        name: What it is called in the log.
        take: Where the bytes go.
        encoding: Of the text; what it has no character for is replaced.
        errors: How that is replaced, `replace` or `backslashreplace`.
        terminal: Whether a person looks at it.
        whole: Each text is handed over whole, whatever its length.
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
    ) -> None:
        self.encoding = encoding
        self._name = name
        self._take = take
        self._errors = errors
        self._terminal = terminal
        self._piece_bytes = None if whole else PIECE_BYTES
        self._waiting: deque[bytes] = deque()
        self._room = ROOM_BYTES
        self._busy = self._dead = self._ended = False
        self._dropped = self._moved = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

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
        data = text.encode(self.encoding, self._errors)
        with self._changed:
            if not data or self._dead or self._ended:
                return len(text)
            if self._waiting and len(data) > self._room:
                self._dropped += 1
                return len(text)
            self._room -= len(data)
            self._waiting.append(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"outlet {self._name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing: what was written is on its way."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._terminal

    def settle(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until all is written, but no longer than a reader takes nothing for so long; whether all was."""
        with self._changed:
            while not self._dead and not self._idle:
                moved = self._moved
                self._changed.wait_for(partial(self._has_changed_since, moved), patience_s)
                if not self._has_changed_since(moved):
                    return False
            return not self._dead

    def close(self, patience_s: float = PATIENCE_S) -> bool:
        """Settle, and take no more; whether everything was written."""
        settled = self.settle(patience_s)
        with self._changed:
            dropped, self._dropped, self._ended = self._dropped, 0, True
            left = len(self._waiting) + self._busy
            self._changed.notify_all()
        if dropped or (left and not settled):
            log.warning("output_dropped", output=self._name, writes=dropped + left)
        return settled and not dropped

    def _has_changed_since(self, moved: int) -> bool:
        return self._dead or self._idle or self._moved != moved

    @property
    def _idle(self) -> bool:
        return not self._waiting and not self._busy

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                while data:
                    taken = self._take(data[: self._piece_bytes])
                    data = data[taken:]
                    self._has_moved(taken)
            except (OSError, ValueError) as error:
                self._give_up(error)
                return

    def _next(self) -> bytes | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            dropped = self._dropped if not self._waiting else 0
            self._dropped -= dropped
        if dropped:
            log.warning("output_dropped", output=self._name, writes=dropped)
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            self._busy = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

    def _has_moved(self, taken: int) -> None:
        with self._changed:
            self._moved += taken
            self._room += taken
            self._changed.notify_all()

    def _give_up(self, error: Exception) -> None:
        with self._changed:
            self._dead, self._busy = True, False
            self._waiting.clear()
            self._changed.notify_all()
        log.warning("output_given_up", output=self._name, error=str(error))


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
