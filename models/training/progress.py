"""How a training shows where it stands: bars with the time left on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.training.curves import Row

LINE_EVERY_S = 60.0
"""Without a terminal, an epoch's progress is told so often."""


class TrainingWatcher(Protocol):
    """Sees a training advance."""

    def begin(self, epoch: int, epochs: int, steps_done: int, steps: int) -> None:
        """An epoch, counted from 1, begins or is resumed."""

    def step(self, steps_done: int, loss: float) -> None:
        """So many steps of the epoch are done; `loss` is their mean."""

    def end(self, row: Row, *, best: bool) -> None:
        """The epoch is judged and kept."""


def by_kind(row: Row) -> str:
    """Images judged wrongly, by kinds of error; there is a class that passes."""
    return f"{row.escapes} escapes, {row.overkills} overkills, {row.confusions} confusions of {row.judged}"


def in_all(row: Row) -> str:
    """Images judged wrongly; no class passes."""
    return f"{row.confusions} wrong of {row.judged}"


def of_parts(row: Row) -> str:
    """Parts judged wrongly, by kinds of error."""
    return f"{by_kind(row)} parts"


class Bars(AbstractContextManager["Bars"]):
    """Bars on a terminal; lines where there is none.

    Args:
        console: Where to show.
        wrong: What an epoch judged wrongly, in words.
    """

    def __init__(self, console: Console, wrong: Callable[[Row], str]) -> None:
        self._console, self._wrong = console, wrong
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._whole = self._bars.add_task("training", total=None, loss="")
        self._epoch = self._bars.add_task("epoch", total=None, loss="")
        self._steps = self._done = self._epochs = self._number = 0
        self._began = self._told = time.monotonic()
        self._done_at_begin = 0

    def __enter__(self) -> Self:
        """Start to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def begin(self, epoch: int, epochs: int, steps_done: int, steps: int) -> None:
        """An epoch, counted from 1, begins or is resumed."""
        if not self._epochs:
            self._done_at_begin = (epoch - 1) * steps + steps_done
        self._number, self._epochs, self._steps, self._done = epoch, epochs, steps, steps_done
        self._bars.update(self._whole, total=epochs * steps, completed=(epoch - 1) * steps + steps_done)
        self._bars.reset(self._epoch, total=steps, completed=steps_done, description=f"epoch {epoch}/{epochs}", loss="")

    def step(self, steps_done: int, loss: float) -> None:
        """So many steps of the epoch are done; `loss` is their mean."""
        self._done = steps_done
        self._bars.update(self._whole, completed=(self._number - 1) * self._steps + steps_done)
        self._bars.update(self._epoch, completed=steps_done, loss=f"loss {loss:.4f}")
        if self._bars.disable and time.monotonic() - self._told >= LINE_EVERY_S:
            self._told = time.monotonic()
            place = f"epoch {self._number}/{self._epochs} step {self._done}/{self._steps}"
            self._line(f"{place} loss {loss:.4f} {self._left()}")

    def end(self, row: Row, *, best: bool) -> None:
        """The epoch is judged and kept."""
        said = f"epoch {row.epoch}/{self._epochs} loss {row.loss:.4f}"
        if row.judged:
            said += f" validation {row.validation_loss:.4f} accuracy {row.accuracy:.4f} ({self._wrong(row)})"
        marked = " best" if best and row.judged else ""
        self._line(f"{said} {row.seconds:.0f} s {self._left()}{marked}")

    def _left(self) -> str:
        done = (self._number - 1) * self._steps + self._done
        made = done - self._done_at_begin
        if not made:
            return ""
        left_s = (time.monotonic() - self._began) / made * (self._epochs * self._steps - done)
        return f"{left_s / 60:.0f} min left"

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
