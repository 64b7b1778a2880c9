"""The document of a benchmark, and which networks are worth to be chosen."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from models.evaluation.figures.rates import Rate
from station.core.choices import EngineName, Precision
from station.core.section import Section


class EngineRun(Section):
    """A network on one engine, one image at a time."""

    engine: EngineName = Field(..., description="Which one.")
    precision: Precision = Field(..., description="Arithmetic in which it ran.")
    ms: float = Field(..., gt=0, description="Median of the times of an image, in milliseconds.")
    least_ms: float = Field(..., gt=0, description="The shortest; on a busy computer nearer to the truth.")
    memory_mb: float = Field(..., ge=0, description="By how much the engine and the network made the process larger.")
    size_mb: float = Field(..., gt=0, description="Of the artefact's files.")
    images: int = Field(..., ge=1, description="Images that it was held against the trained network on.")
    changed: int = Field(..., ge=0, description="Of them with another most probable class.")
    largest_difference: float = Field(..., ge=0, le=1, description="Of a probability.")


class NotRun(Section):
    """An engine that a network has no artefact for, or that does not run it here."""

    engine: EngineName = Field(..., description="Which one.")
    precision: Precision = Field(..., description="Arithmetic that was wanted.")
    why: str = Field(..., description="For people.")


class Measured(Section):
    """One network of a benchmark."""

    network: str = Field(..., description="A name of `station model networks`.")
    trainable_parameters: int = Field(..., ge=1, description="How many it has for these classes and images.")
    judged: Literal["images", "parts"] = Field(..., description="What the accuracy counts.")
    crossvalidated: bool = Field(..., description="Whether by cross-validation, else on the test split.")
    accuracy: Rate = Field(..., description="Judged rightly, with exact limits of 95 %.")
    macro_f1: float | None = Field(..., description="Mean F1 of the classes.")
    macro_auc: float | None = Field(..., description="Mean AUC of the classes, one against the rest.")
    training_s: float = Field(..., ge=0, description="Seconds of the training that the test split judges.")
    runs: tuple[EngineRun, ...] = Field(..., description="Each engine that runs it.")
    not_run: tuple[NotRun, ...] = Field(..., description="Each that does not.")

    @property
    def fastest(self) -> EngineRun | None:
        """The engine on which an image takes least, of those that decide no image otherwise; else of all."""
        alike = [run for run in self.runs if not run.changed] or list(self.runs)
        return min(alike, key=lambda run: run.ms, default=None)


class Benchmark(Section):
    """All networks of a comparison, measured on one computer."""

    created: datetime = Field(..., description="When, UTC.")
    computer: str = Field(..., description="Cores and instruction set.")
    data_sha256: str = Field(..., description="Of the data set's manifest.")
    data_source: str = Field(..., description="Where the images come from.")
    image: tuple[int, int] = Field(..., description="Height and width in px.")
    networks: tuple[Measured, ...] = Field(..., min_length=1, description="In the order in which they were named.")

    def worth_choosing(self) -> tuple[str, ...]:
        """The networks that none other beats in both accuracy and time, the fastest first."""
        timed = [(one.network, one.accuracy.share or 0.0, one.fastest.ms) for one in self.networks if one.fastest]
        best = [
            row
            for row in timed
            if not any(other[1] >= row[1] and other[2] <= row[2] and other[1:] != row[1:] for other in timed)
        ]
        return tuple(name for name, _accuracy, _ms in sorted(best, key=lambda row: row[2]))
