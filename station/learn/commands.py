"""The station's own commands, each in a process of its own that is ended when a part was judged late."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import TrainingError
from station.learn.ledger import DeadlineLedger, Judged
from station.learn.limits import Limits

STATION = ("-c", "from station.cli import main; main()")
END_S = 60.0
"""How long a step may take to keep what it has reached; then it is ended."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command."""

    status: int
    judged: Judged


@dataclass
class Commands:
    """Runs commands, one at a time.

    Attributes:
        limits: What they may take.
        open_ledger: A ledger of what is judged from now on.
        look_s: Time between two looks at it.
        lock: The learning's lock, which a command keeps that outlives it.
        running: The command at work, or None.
        stopped: Whether nothing is run any more.
    """

    limits: Limits
    open_ledger: Callable[[], DeadlineLedger]
    look_s: float
    lock: int
    running: subprocess.Popen[bytes] | None = None
    stopped: bool = False

    def __call__(self, words: Sequence[object], output: Path | None = None) -> Ran:
        """Run `station` with these words.

        Args:
            words: Of the command.
            output: The file for what it prints on standard output; None for the terminal.

        Raises:
            TrainingError: `training.part_was_late`: it was ended; `training.step_failed`: nothing is run any more.
            RecordError: The records cannot be read.
            OSError: It cannot be started, or the file cannot be written.
        """
        self._require_wanted()
        if output is None:
            return self._run(words, None)
        with output.open("wb") as file:
            return self._run(words, file.fileno())

    def _run(self, words: Sequence[object], output: int | None) -> Ran:
        ledger = self.open_ledger()
        command = [sys.executable, *STATION, *map(str, words)]
        self.running = subprocess.Popen(  # noqa: S603 - this program itself
            command, stdin=subprocess.DEVNULL, stdout=output, env=self.limits.environment, pass_fds=(self.lock,)
        )
        try:
            self._require_wanted()
            self.limits.hold(self.running.pid)
            return Ran(self._watched(self.running, ledger), ledger.look())
        finally:
            self.end()

    def _watched(self, process: subprocess.Popen[bytes], ledger: DeadlineLedger) -> int:
        while True:
            try:
                return process.wait(self.look_s)
            except subprocess.TimeoutExpired:
                judged = ledger.look()
            if judged.late:
                raise TrainingError("training.part_was_late", str(judged))

    def _require_wanted(self) -> None:
        if self.stopped:
            raise TrainingError("training.step_failed", "it was interrupted")

    def interrupt(self) -> None:
        """Ask the command at work to end, and run no other; returns at once."""
        self.stopped = True
        if (process := self.running) is not None:
            process.terminate()

    def end(self) -> None:
        """End the command at work, if there is one; it keeps what it can."""
        if (process := self.running) is None:
            return
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.running = None
