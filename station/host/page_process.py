"""The operator page as a child of a simulated station: started beside it, ended with it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

END_TIMEOUT_S = 10.0
COMMAND = "from station.cli import main; main()"


class PageProcess:
    """`station page`, while in this context; what it says is handed on. Blocks.

    Args:
        config: The configuration file.
        data: The data folder.
        say: Told each line, on a thread of its own.
    """

    def __init__(self, config: Path, data: Path, say: Callable[[str], None]) -> None:
        self._arguments = ["page", "--config", str(config), "--data", str(data), "--end-with-parent"]
        self._say = say

    def __enter__(self) -> Self:
        """Start it; it says by itself when it answers, or why it does not."""
        self._process = subprocess.Popen(  # noqa: S603  # this program itself
            [sys.executable, "-c", COMMAND, *self._arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self._listener = Thread(target=self._listen, name="page's words")
        self._listener.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def stay(self, tell: Callable[[], None]) -> None:
        """Return when it has ended by itself, or SIGINT has come, also where the program began with SIGINT ignored.

        Args:
            tell: Says that it stays, when SIGINT is heeded.
        """
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with suppress(KeyboardInterrupt):
                tell()
                self._process.wait()
        finally:
            signal.signal(signal.SIGINT, before)

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._say(line.rstrip("\n"))
