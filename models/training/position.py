"""How far a training has come, and when a phase ends. Free of torch."""

import math
from dataclasses import dataclass

from models.training.plan import Phase


@dataclass(slots=True)
class Position:
    """How far a training has come.

    Attributes:
        phase: Number of the phase, from 0; as many as there are when all is done.
        phase_epoch: Whole epochs of this phase.
        step: Whole steps of this epoch.
        loss_sum: Of this epoch's images so far.
        right: Of this epoch's labelled images so far, as they were drawn and changed.
        best_loss: The lowest validation loss of all epochs.
        phase_best: The lowest of this phase.
        worse: Epochs since then.
        falls: How often a plateau of this phase has ended.
        flat_best: The lowest loss that a plateau is told by, of this phase.
        flat: Epochs since then, or since the rate fell.
    """

    phase: int = 0
    phase_epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    right: int = 0
    best_loss: float = math.inf
    phase_best: float = math.inf
    worse: int = 0
    falls: int = 0
    flat_best: float = math.inf
    flat: int = 0

    def close_epoch(self, validation_loss: float, *, settled: bool = True) -> bool:
        """Go over to the next epoch; whether this one is the best so far, of equals the last.

        Args:
            validation_loss: What the epoch reached.
            settled: Whether the network's structure is what it will be; before, no epoch counts as worse, and the one
                that is kept is the last.
        """
        self.phase_epoch, self.step, self.loss_sum, self.right = self.phase_epoch + 1, 0, 0.0, 0
        if not settled:
            return True
        best = validation_loss <= self.best_loss
        self.worse = 0 if validation_loss < self.phase_best else self.worse + 1
        self.best_loss = min(self.best_loss, validation_loss)
        self.phase_best = min(self.phase_best, validation_loss)
        return best

    def look_for_plateau(self, phase: Phase, loss: float) -> None:
        """Let the rate of a plateau's schedule fall where an epoch was one too many without a gain."""
        self.flat = 0 if loss < self.flat_best else self.flat + 1
        self.flat_best = min(self.flat_best, loss)
        if phase.schedule == "plateau" and self.flat >= phase.plateau:
            self.falls, self.flat = self.falls + 1, 0

    def ends(self, phase: Phase) -> bool:
        """Whether the phase is over: all its epochs are done, or too many since its best."""
        return self.phase_epoch >= phase.epochs or 0 < phase.patience <= self.worse

    def open_phase(self) -> None:
        """Go over to the next phase."""
        self.phase, self.phase_epoch, self.phase_best, self.worse = self.phase + 1, 0, math.inf, 0
        self.falls, self.flat_best, self.flat = 0, math.inf, 0
