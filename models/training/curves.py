"""The curves of a training: `curves.csv`, `curves.png`, and events for TensorBoard.

The rows live in the checkpoint, so a training that was killed goes on without a gap or a repeated epoch.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

CSV, PNG, TENSORBOARD = "curves.csv", "curves.png", "tensorboard"


class Row(NamedTuple):
    """One epoch.

    Attributes:
        epoch: Counted from 1 over all phases.
        phase: Counted from 1.
        rate: Learning rate of the last step.
        loss: Mean cross-entropy of the training's images, as they were drawn, changed and weighed; without penalties.
        validation_loss: Mean cross-entropy of the validation's images.
        accuracy: Share of the validation's images judged rightly.
        escapes: Images of defects judged to pass; 0 where no class passes.
        overkills: Images of no defect judged to be of one; likewise.
        confusions: All other images that were judged wrongly.
        judged: Images of the validation; 0 in a fold, whose losses and accuracy are 0.
        seconds: Wall time of the epoch since it began or was resumed.
        training_accuracy: Share of the training's labelled images judged rightly, as they were drawn and changed.
        auc: Of the validation, one class against the rest, the mean over the classes; 0 where that cannot be said.
    """

    epoch: int
    phase: int
    rate: float
    loss: float
    validation_loss: float
    accuracy: float
    escapes: int
    overkills: int
    confusions: int
    judged: int
    seconds: float
    training_accuracy: float = 0.0
    auc: float = 0.0


def table(rows: Sequence[Row]) -> bytes:
    """The rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, Row._fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row._asdict() for row in rows)
    return text.getvalue().encode()


def picture(rows: Sequence[Row]) -> bytes:
    """Losses, accuracy and AUC, errors, and rate by epoch, as a PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - reading checkpoints must not need it

    figure = Figure(figsize=(13, 3.2), layout="constrained")
    losses, shares, errors, rates = figure.subplots(1, 4)
    epochs = [row.epoch for row in rows]
    judged = ("loss", "validation_loss") if rows[-1].judged else ("loss",)
    _plot(losses, "loss", epochs, {name: [getattr(row, name) for row in rows] for name in judged})
    known = ("training_accuracy", "accuracy", "auc") if rows[-1].judged else ("training_accuracy",)
    _plot(shares, "accuracy, AUC", epochs, {name: [getattr(row, name) for row in rows] for name in known})
    kinds = ("escapes", "overkills", "confusions")
    _plot(errors, "images judged wrongly", epochs, {name: [getattr(row, name) for row in rows] for name in kinds})
    _plot(rates, "learning rate", epochs, {"rate": [row.rate for row in rows]})
    losses.set_yscale("log")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()


def _plot(axes: Any, title: str, epochs: Sequence[int], lines: dict[str, list[float]]) -> None:
    for name, values in lines.items():
        axes.plot(epochs, values, marker=".", label=name.replace("_", " "))
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    axes.grid(alpha=0.3)


class Events:
    """Writes rows for TensorBoard, one point an epoch; those of an epoch that is repeated replace the first ones.

    Args:
        folder: Where the event files go.
        begin: The epoch that comes next, counted from 1.
    """

    def __init__(self, folder: Path, begin: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - as above

        self._writer = SummaryWriter(str(folder), purge_step=begin)

    def add(self, row: Row) -> None:
        """Write an epoch's row."""
        for name, value in row._asdict().items():
            if name != "epoch":
                self._writer.add_scalar(name, value, row.epoch)
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()
