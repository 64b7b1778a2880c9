"""Bytes that nobody may wait for: a bounded queue, and a thread that writes.

Whoever has something written never waits and never fails: a reader that is slow costs what does not fit, which is
counted and told; one that is gone, or a disk that is full, is given up once.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

log = structlog.get_logger()

ROOM_BYTES = 1 << 20
"""How much may wait."""

PATIENCE_S = 2.0
"""How long the end waits for a reader who takes nothing."""

Take = Callable[[bytes], int]
"""Takes some of these bytes and tells how many; may block.

Raises:
    OSError: Nothing will be taken any more.
"""


class Backlog:
    """What waits to be written, up to `ROOM_BYTES`; the first piece is taken whatever its length."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._room_bytes = ROOM_BYTES
        self._dropped = 0

    def __len__(self) -> int:
        """How many pieces wait."""
        return len(self._pieces)

    def add(self, data: bytes) -> bool:
        """Have it wait; False where it does not fit, which is counted."""
        if self._pieces and len(data) > self._room_bytes:
            self._dropped += 1
            return False
        self._room_bytes -= len(data)
        self._pieces.append(data)
        return True

    def take(self) -> bytes | None:
        """The piece that waits longest; its room is given back as it is written."""
        return self._pieces.popleft() if self._pieces else None

    def give_room(self, written_bytes: int) -> None:
        """So much was written."""
        self._room_bytes += written_bytes

    def take_dropped(self) -> int:
        """How many pieces did not fit since this was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def clear(self) -> None:
        """Nothing waits any more."""
        self._pieces.clear()


class BackgroundWriter:
    """Has bytes written by a thread of its own, which begins with the first of them.

    Args:
        name: What it is called in the log.
        take: Where the bytes go.
        piece_bytes: So much is written at a time; None to hand over what came as it came.
        end: What the thread does last.
    """

    def __init__(self, name: str, take: Take, piece_bytes: int | None, end: Callable[[], object]) -> None:
        self._name = name
        self._take = take
        self._piece_bytes = piece_bytes
        self._end = end
        self._backlog = Backlog()
        self._busy = self._dead = self._ended = False
        self._moved_bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, data: bytes) -> None:
        """Have it written, or counted as dropped; returns at once."""
        with self._changed:
            if not data or self._dead or self._ended or not self._backlog.add(data):
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"outlet {self._name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settle(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until all is written, but no longer than a reader takes nothing for so long; whether all was."""
        with self._changed:
            while not self._dead and not self._idle:
                moved_bytes = self._moved_bytes
                self._changed.wait_for(partial(self._has_changed_since, moved_bytes), patience_s)
                if not self._has_changed_since(moved_bytes):
                    return False
            return not self._dead

    def close(self, patience_s: float = PATIENCE_S) -> bool:
        """Settle, and take no more; whether everything was written."""
        settled = self.settle(patience_s)
        with self._changed:
            dropped, self._ended = self._backlog.take_dropped(), True
            left = len(self._backlog) + self._busy
            self._changed.notify_all()
        if dropped or (left and not settled):
            log.warning("output_dropped", output=self._name, writes=dropped + left)
        return settled and not dropped

    def _has_changed_since(self, moved_bytes: int) -> bool:
        return self._dead or self._idle or self._moved_bytes != moved_bytes

    @property
    def _idle(self) -> bool:
        return not self._backlog and not self._busy

    def _run(self) -> None:
        try:
            while (data := self._next()) is not None:
                self._write(data)
        except (OSError, ValueError) as error:
            self._give_up(error)
        self._end()

    def _write(self, data: bytes) -> None:
        while data:
            taken = self._take(data[: self._piece_bytes])
            data = data[taken:]
            self._has_moved(taken)

    def _next(self) -> bytes | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            dropped = 0 if self._backlog else self._backlog.take_dropped()
        if dropped:
            log.warning("output_dropped", output=self._name, writes=dropped)
        with self._changed:
            self._changed.wait_for(lambda: self._backlog or self._ended)
            data = self._backlog.take()
            self._busy = data is not None
            return data

    def _has_moved(self, taken: int) -> None:
        with self._changed:
            self._moved_bytes += taken
            self._backlog.give_room(taken)
            self._changed.notify_all()

    def _give_up(self, error: Exception) -> None:
        with self._changed:
            self._dead, self._busy = True, False
            self._backlog.clear()
            self._changed.notify_all()
        log.warning("output_given_up", output=self._name, error=str(error))
