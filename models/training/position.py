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
        best_loss: The lowest validation loss of all epochs.
        phase_best: The lowest of this phase.
        worse: Epochs since then.
    """

    phase: int = 0
    phase_epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best_loss: float = math.inf
    phase_best: float = math.inf
    worse: int = 0

    def close_epoch(self, validation_loss: float) -> bool:
        """Go over to the next epoch; whether this one is the best so far, of equals the last."""
        best = validation_loss <= self.best_loss
        self.worse = 0 if validation_loss < self.phase_best else self.worse + 1
        self.best_loss = min(self.best_loss, validation_loss)
        self.phase_best = min(self.phase_best, validation_loss)
        self.phase_epoch, self.step, self.loss_sum = self.phase_epoch + 1, 0, 0.0
        return best

    def ends(self, phase: Phase) -> bool:
        """Whether the phase is over: all its epochs are done, or too many since its best."""
        return self.phase_epoch >= phase.epochs or 0 < phase.patience <= self.worse

    def open_phase(self) -> None:
        """Go over to the next phase."""
        self.phase, self.phase_epoch, self.phase_best, self.worse = self.phase + 1, 0, math.inf, 0
